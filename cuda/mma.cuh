// What kernels say to the tensor cores and to the copy engine of a multiprocessor; the only file with PTX.
//
//   multiply_add(c, a, b)                   c += a b, a [16, 16] and b [16, 8] in bf16, c [16, 8] in f32
//   load_matrices(r, row)                   ldmatrix: 2 or 4 matrices of 8 x 8 bf16 from shared memory
//   load_matrices_transposed(r, row)        each of them transposed on the way
//   pack_pair(low, high)                    two floats as a register of two bf16
//   copy_async_16(to, from, bytes)          16 bytes of shared memory: `bytes` of global memory, zeros behind
//   copy_async_4(to, from, bytes)           4 bytes, likewise; bytes is 0 or 4
//   commit_copies(); wait_for_copies<N>()   this lane's copies since the last commit are a group; wait until
//                                           at most N groups are under way
//
// Who holds what (PTX ISA, "Matrix fragments for mma.m16n8k16"), with g = lane / 4 and t = lane % 4:
//   a[0] = A[g][2t, 2t + 1]      a[1] = A[g + 8][2t, 2t + 1]  a[2] = A[g][2t + 8, 2t + 9]
//   a[3] = A[g + 8][2t + 8, 2t + 9]
//   b[0] = B[2t, 2t + 1][g]      b[1] = B[2t + 8, 2t + 9][g]
//   c[0], c[1] = C[g][2t, 2t + 1]    c[2], c[3] = C[g + 8][2t, 2t + 1]
// A register of two bf16 has the lower index in its lower half. Of load_matrices, lane 8 i + j gives the
// address of row j of matrix i, a multiple of 16 bytes, and r[i] is M[g][2t, 2t + 1] (transposed:
// M[2t, 2t + 1][g]). Whole warps reach these; copies are each lane's own. From sm_80 on.
#pragma once

#include "cuda/device.cuh"

#ifndef __CUDACC__
#include "cuda/sim/mma.h"
#else

namespace limoe::cuda {

__device__ __forceinline__ unsigned shared_address(const void* in_shared) {
  return unsigned(__cvta_generic_to_shared(in_shared));
}

__device__ __forceinline__ void multiply_add(float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const bf16* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}
__device__ __forceinline__ void load_matrices(unsigned (&r)[2], const bf16* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row)));
}
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[4], const bf16* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row)));
}
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[2], const bf16* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row)));
}

__device__ __forceinline__ unsigned pack_pair(float low, float high) {
  unsigned pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

__device__ __forceinline__ void copy_async_16(void* to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to)), "l"(from),
               "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void copy_async_4(void* to, const void* from, int bytes) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(to)), "l"(from), "r"(bytes)
               : "memory");
}
__device__ __forceinline__ void commit_copies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
template <int Groups>
__device__ __forceinline__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Groups) : "memory");
}

}  // namespace limoe::cuda

#endif

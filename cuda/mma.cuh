// What kernels say to the tensor cores and to the copy engine of a multiprocessor; the only file with PTX
// (but for one conversion, cuda/vendor/launch.cuh).
//
//   multiply_add(c, a, b)                   c += a b, a [16, 16] and b [16, 8] in bf16, c [16, 8] in f32
//   load_matrices(r, row)                   ldmatrix: 2 or 4 matrices of 8 x 8 bf16 from shared memory
//   load_matrices_transposed(r, row)        each of them transposed on the way
//   pack_pair(low, high)                    two floats as a register of two bf16
//   copy_async_16(to, from, bytes)          16 bytes of shared memory: `bytes` of global memory, zeros behind
//   copy_async_4(to, from, bytes)           4 bytes, likewise; bytes is 0 or 4
//   commit_copies(); wait_for_copies<N>()   this lane's copies since the last commit are a group; wait until
//                                           at most N groups are under way
//   meet_at(barrier, lanes)                 waits until `lanes` lanes of the block, whole warps, have come to
//                                           barrier 1 to 15 (0 is __syncthreads)
//   arrive_at(barrier, lanes)               comes to it and goes on
//
// Who holds what (PTX ISA, "Matrix fragments for mma.m16n8k16"), with g = lane / 4 and t = lane % 4:
//   a[0] = A[g][2t, 2t + 1]      a[1] = A[g + 8][2t, 2t + 1]  a[2] = A[g][2t + 8, 2t + 9]
//   a[3] = A[g + 8][2t + 8, 2t + 9]
//   b[0] = B[2t, 2t + 1][g]      b[1] = B[2t + 8, 2t + 9][g]
//   c[0], c[1] = C[g][2t, 2t + 1]    c[2], c[3] = C[g + 8][2t, 2t + 1]
// A register of two bf16 has the lower index in its lower half. Of load_matrices, lane 8 i + j gives the
// address of row j of matrix i, a multiple of 16 bytes, and r[i] is M[g][2t, 2t + 1] (transposed:
// M[2t, 2t + 1][g]). Whole warps reach these; copies are each lane's own. From sm_80 on.
//
// A Hopper (has_warpgroup_products() of cuda/runtime.h; elsewhere these stop the kernel) multiplies from
// shared memory, 64 rows of C by a warpgroup: four warps, the first of which has an index that 4 divides.
//
//   multiply_add_group<AOuter, BOuter>(c, a, b, add)
//                                           c = a b + (add ? c : 0), a [64, 16] and b [16, 256] in bf16;
//                                           c, 128 floats of a lane, may hold anything if not `add`
//   panel_part(begin, block_bytes)          where such an a or b begins in its panel
//   swizzled(byte)                          where a byte of a panel lies
//   fence_products()                        before the first product of a run of them
//   commit_products(); wait_for_products<N>()    as of copies: c and panels are the products' until then
//   show_copies()                           products see what this lane copied or stored, once lanes met
//   take_registers<N>(); give_registers<N>()     a warpgroup has N registers a lane from here on, more or
//                                           fewer than before; a multiple of 8
//
// A panel is lines of 128 bytes, 64 values, and begins at a multiple of kPanelAlignment. With k inner, line i
// is row i of A (column i of B), k along it. With k outer, line i is k = i, rows of A (columns of B) along
// it, and every 64 of those lie block_bytes behind the 64 before. The 16-byte chunks of line i lie in the
// order of chunk ^ (i % 8), so that one chunk of eight lines is in different banks ("128-byte swizzle" of
// the PTX ISA's matrix descriptors). c[4 j + 2 h + i] of warp w is C[16 (w % 4) + 8 h + g][8 j + 2 t + i].
#pragma once

#include "cuda/device.cuh"

namespace limoe::cuda {

inline constexpr int kPanelLine = 64;         // values of bf16, 128 bytes
inline constexpr int kPanelAlignment = 1024;  // bytes: eight lines, after which the order of chunks repeats
inline constexpr int kWarpgroup = 4;          // warps

__device__ __forceinline__ int swizzled(int byte) {
  return byte ^ (byte >> 7 & 7) << 4;
}

}  // namespace limoe::cuda

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

__device__ __forceinline__ void meet_at(int barrier, int lanes) {
  asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(lanes) : "memory");
}
__device__ __forceinline__ void arrive_at(int barrier, int lanes) {
  asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(lanes) : "memory");
}

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

// PTX ISA, "Matrix descriptor format": addresses and distances in units of 16 bytes. Groups of eight lines
// follow each other; the distance of blocks is read with k outer alone.
struct PanelPart {
  uint64_t descriptor;
};
__device__ __forceinline__ PanelPart panel_part(const bf16* begin, int block_bytes) {
  constexpr uint64_t kSwizzle128 = uint64_t{1} << 62;
  return {uint64_t(shared_address(begin) >> 4 & 0x3fff) | uint64_t(block_bytes >> 4) << 16 |
          uint64_t(kPanelAlignment >> 4) << 32 | kSwizzle128};
}

#define LIMOE_SUMS(c, i)                                                                      \
  "+f"(c[i]), "+f"(c[i + 1]), "+f"(c[i + 2]), "+f"(c[i + 3]), "+f"(c[i + 4]), "+f"(c[i + 5]), \
      "+f"(c[i + 6]), "+f"(c[i + 7])
template <bool AOuter, bool BOuter>
__device__ __forceinline__ void multiply_add_group(float (&c)[128], PanelPart a, PanelPart b, bool add) {
  asm volatile(
      "{ .reg .pred add; setp.ne.b32 add, %130, 0; "
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127}, "
      "%128, %129, add, 1, 1, %131, %132; }"
      : LIMOE_SUMS(c, 0), LIMOE_SUMS(c, 8), LIMOE_SUMS(c, 16), LIMOE_SUMS(c, 24), LIMOE_SUMS(c, 32),
        LIMOE_SUMS(c, 40), LIMOE_SUMS(c, 48), LIMOE_SUMS(c, 56), LIMOE_SUMS(c, 64), LIMOE_SUMS(c, 72),
        LIMOE_SUMS(c, 80), LIMOE_SUMS(c, 88), LIMOE_SUMS(c, 96), LIMOE_SUMS(c, 104), LIMOE_SUMS(c, 112),
        LIMOE_SUMS(c, 120)
      : "l"(a.descriptor), "l"(b.descriptor), "r"(int(add)), "n"(int(AOuter)), "n"(int(BOuter)));
}
#undef LIMOE_SUMS

__device__ __forceinline__ void fence_products() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commit_products() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int Groups>
__device__ __forceinline__ void wait_for_products() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Groups) : "memory");
}
template <int Registers>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(Registers));
}
template <int Registers>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(Registers));
}
__device__ __forceinline__ void show_copies() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

#else

struct PanelPart {};
__device__ __forceinline__ PanelPart panel_part(const bf16*, int) {
  return {};
}
template <bool AOuter, bool BOuter>
__device__ __forceinline__ void multiply_add_group(float (&)[128], PanelPart, PanelPart, bool) {
  asm volatile("trap;");
}
__device__ __forceinline__ void fence_products() {}
__device__ __forceinline__ void commit_products() {}
template <int Groups>
__device__ __forceinline__ void wait_for_products() {}
template <int Registers>
__device__ __forceinline__ void take_registers() {}
template <int Registers>
__device__ __forceinline__ void give_registers() {}
__device__ __forceinline__ void show_copies() {}

#endif

}  // namespace limoe::cuda

#endif

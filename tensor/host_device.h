// HOST_DEVICE marks the few functions that kernels and host code share. The only macro kernels and tensor/
// have in common.
#pragma once

#ifdef __CUDACC__
#define HOST_DEVICE __host__ __device__
#else
#define HOST_DEVICE
#endif

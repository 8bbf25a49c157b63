// cuBLASLt, loaded by hand: a program without the library starts and says so when it is asked for.
#pragma once

#include <cublasLt.h>

#include <string>

namespace limoe::cuda {

struct Cublas {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtGetVersion) version;
  decltype(&cublasLtMatmul) matmul;
  decltype(&cublasLtMatmulAlgoGetHeuristic) algorithms;
  decltype(&cublasLtMatmulDescCreate) make_product;
  decltype(&cublasLtMatmulDescDestroy) destroy_product;
  decltype(&cublasLtMatmulDescSetAttribute) set_product;
  decltype(&cublasLtMatrixLayoutCreate) make_layout;
  decltype(&cublasLtMatrixLayoutDestroy) destroy_layout;
  decltype(&cublasLtMatrixLayoutSetAttribute) set_layout;
  decltype(&cublasLtMatmulPreferenceCreate) make_preference;
  decltype(&cublasLtMatmulPreferenceDestroy) destroy_preference;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference;
  decltype(&cublasLtGetStatusString) status_text;
  cublasLtHandle_t handle = nullptr;
  void* workspace = nullptr;  // shared by all products: they run one after another on the compute stream
  size_t workspace_bytes = 0;
};

// The library, ready for use, or null and why.
const Cublas* cublas(std::string* why = nullptr);

// Throws CudaError unless the call succeeded.
void expect_cublas(cublasStatus_t status, const char* call);

}  // namespace limoe::cuda

#include "cuda/vendor/cublas.h"

#include "cuda/runtime.h"
#include "cuda/vendor/library.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what NVIDIA recommends for Hopper

struct Loaded {
  Cublas library;
  std::string why;  // it cannot be used; empty when it can
};

bool find_all(void* library, Cublas& to) {
  return find_function(library, "cublasLtCreate", to.create) &&
         find_function(library, "cublasLtGetVersion", to.version) &&
         find_function(library, "cublasLtMatmul", to.matmul) &&
         find_function(library, "cublasLtMatmulAlgoGetHeuristic", to.algorithms) &&
         find_function(library, "cublasLtMatmulDescCreate", to.make_product) &&
         find_function(library, "cublasLtMatmulDescDestroy", to.destroy_product) &&
         find_function(library, "cublasLtMatmulDescSetAttribute", to.set_product) &&
         find_function(library, "cublasLtMatrixLayoutCreate", to.make_layout) &&
         find_function(library, "cublasLtMatrixLayoutDestroy", to.destroy_layout) &&
         find_function(library, "cublasLtMatrixLayoutSetAttribute", to.set_layout) &&
         find_function(library, "cublasLtMatmulPreferenceCreate", to.make_preference) &&
         find_function(library, "cublasLtMatmulPreferenceDestroy", to.destroy_preference) &&
         find_function(library, "cublasLtMatmulPreferenceSetAttribute", to.set_preference) &&
         find_function(library, "cublasLtGetStatusString", to.status_text);
}

Loaded load() {
  Loaded loaded;
  void* const library = open_library("cublasLt", CUBLAS_VER_MAJOR);
  if (!library) {
    loaded.why = concatenate("cuBLASLt cannot be loaded (", dlerror(), ")");
    return loaded;
  }
  Cublas& found = loaded.library;
  if (!find_all(library, found)) {
    loaded.why = "the cuBLASLt that was found lacks functions this program needs";
    return loaded;
  }
  if (const cublasStatus_t status = found.create(&found.handle); status != CUBLAS_STATUS_SUCCESS) {
    loaded.why = concatenate("cuBLASLt cannot start: ", found.status_text(status));
    return loaded;
  }
  found.workspace = allocate(kWorkspaceBytes);
  if (found.workspace) found.workspace_bytes = kWorkspaceBytes;
  return loaded;
}

}  // namespace

const Cublas* cublas(std::string* why) {
  static const Loaded loaded = load();
  if (loaded.why.empty()) return &loaded.library;
  if (why) *why = loaded.why;
  return nullptr;
}

void expect_cublas(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw CudaError(call, ": ", cublas() ? cublas()->status_text(status) : "no library");
}

}  // namespace limoe::cuda

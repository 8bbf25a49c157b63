#include "cuda/vendor/cublas.h"

#include <dlfcn.h>

#include "cuda/runtime.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr size_t kWorkspaceBytes = size_t{32} << 20;  // what NVIDIA recommends for Hopper

struct Loaded {
  Cublas library;
  std::string why;  // it cannot be used; empty when it can
};

void* open_library() {
  const std::string versioned = "libcublasLt.so." + std::to_string(CUBLAS_VER_MAJOR);
  void* const library = dlopen(versioned.c_str(), RTLD_NOW | RTLD_LOCAL);
  return library ? library : dlopen("libcublasLt.so", RTLD_NOW | RTLD_LOCAL);
}

// True when the library has the function.
template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, Cublas& to) {
  return find(library, "cublasLtCreate", to.create) && find(library, "cublasLtMatmul", to.matmul) &&
         find(library, "cublasLtMatmulAlgoGetHeuristic", to.algorithms) &&
         find(library, "cublasLtMatmulDescCreate", to.make_product) &&
         find(library, "cublasLtMatmulDescDestroy", to.destroy_product) &&
         find(library, "cublasLtMatmulDescSetAttribute", to.set_product) &&
         find(library, "cublasLtMatrixLayoutCreate", to.make_layout) &&
         find(library, "cublasLtMatrixLayoutDestroy", to.destroy_layout) &&
         find(library, "cublasLtMatrixLayoutSetAttribute", to.set_layout) &&
         find(library, "cublasLtMatmulPreferenceCreate", to.make_preference) &&
         find(library, "cublasLtMatmulPreferenceDestroy", to.destroy_preference) &&
         find(library, "cublasLtMatmulPreferenceSetAttribute", to.set_preference) &&
         find(library, "cublasLtGetStatusString", to.status_text);
}

Loaded load() {
  Loaded loaded;
  void* const library = open_library();
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

#include "cuda/vendor/cudnn.h"

#include <algorithm>

#include "cuda/runtime.h"
#include "cuda/vendor/library.h"
#include "cuda/vendor_calls.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr int64_t kAlignment = 16;  // of every pointer, in bytes

struct Loaded {
  Cudnn library;
  std::string why;  // it cannot be used; empty when it can
};

bool find_all(void* library, Cudnn& to) {
  return find_function(library, "cudnnCreate", to.create) &&
         find_function(library, "cudnnSetStream", to.set_stream) &&
         find_function(library, "cudnnGetVersion", to.version) &&
         find_function(library, "cudnnGetErrorString", to.status_text) &&
         find_function(library, "cudnnBackendCreateDescriptor", to.make) &&
         find_function(library, "cudnnBackendDestroyDescriptor", to.destroy) &&
         find_function(library, "cudnnBackendSetAttribute", to.set) &&
         find_function(library, "cudnnBackendGetAttribute", to.get) &&
         find_function(library, "cudnnBackendFinalize", to.finalize) &&
         find_function(library, "cudnnBackendExecute", to.execute);
}

Loaded load() {
  Loaded loaded;
  void* const library = open_library("cudnn", CUDNN_MAJOR);
  if (!library) {
    loaded.why = concatenate("cuDNN cannot be loaded (", dlerror(), ")");
    return loaded;
  }
  Cudnn& found = loaded.library;
  if (!find_all(library, found)) {
    loaded.why = "the cuDNN that was found lacks functions this program needs";
    return loaded;
  }
  if (found.version() / 10000 != CUDNN_MAJOR) {
    loaded.why = concatenate("the cuDNN that was found is version ", found.version() / 10000, "; expected ",
                             CUDNN_MAJOR);
    return loaded;
  }
  if (const cudnnStatus_t status = found.create(&found.handle); status != CUDNN_STATUS_SUCCESS)
    loaded.why = concatenate("cuDNN cannot start: ", found.status_text(status));
  return loaded;
}

}  // namespace

const Cudnn* cudnn(std::string* why) {
  static const Loaded loaded = load();
  if (loaded.why.empty()) return &loaded.library;
  if (why) *why = loaded.why;
  return nullptr;
}

void expect_cudnn(cudnnStatus_t status, const char* call) {
  if (status == CUDNN_STATUS_SUCCESS) return;
  throw CudaError("cudnn: ", call, ": ", cudnn() ? cudnn()->status_text(status) : "no library");
}

CudnnDescriptor::CudnnDescriptor(cudnnBackendDescriptorType_t type) {
  expect_cudnn(cudnn()->make(type, &handle_), "a descriptor");
}
CudnnDescriptor::~CudnnDescriptor() {
  if (handle_) cudnn()->destroy(handle_);
}

void CudnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                          const void* values, int64_t count) {
  expect_cudnn(cudnn()->set(handle_, name, type, count, values), "an attribute");
}
void CudnnDescriptor::set(cudnnBackendAttributeName_t name, const CudnnDescriptor& descriptor) {
  const cudnnBackendDescriptor_t handle = descriptor.get();
  set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, &handle);
}

CudnnDescriptor described(const CudnnTensor& tensor) {
  CudnnDescriptor made(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const int64_t alignment = tensor.by_value ? int64_t(sizeof(float)) : kAlignment;
  made.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, &tensor.id);
  made.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, &tensor.type);
  made.set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, tensor.dims.data(), int64_t(tensor.dims.size()));
  made.set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, tensor.strides.data(),
           int64_t(tensor.strides.size()));
  made.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, &alignment);
  if (tensor.by_value) made.set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, &tensor.by_value);
  if (!made.finalize()) throw CudaError("cudnn: tensor ", tensor.id, " is refused");
  return made;
}

CudnnPlan::CudnnPlan(CudnnDescriptor operation) {
  if (!operation.finalize()) return;
  CudnnDescriptor graph(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, &cudnn()->handle);
  if (!graph.finalize()) return;
  if (!take(graph, CUDNN_HEUR_MODE_A)) take(graph, CUDNN_HEUR_MODE_FALLBACK);
}
CudnnPlan::~CudnnPlan() {
  free(workspace_);
}

// The first algorithm of the library's list that can be made ready and whose workspace there is memory for.
bool CudnnPlan::take(const CudnnDescriptor& graph, cudnnBackendHeurMode_t mode) {
  CudnnDescriptor advice(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
  advice.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
  advice.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, &mode);
  if (!advice.finalize()) return false;
  int64_t count = 0;
  expect_cudnn(cudnn()->get(advice.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0,
                            &count, nullptr),
               "the number of algorithms");
  std::vector<CudnnDescriptor> algorithms;
  std::vector<cudnnBackendDescriptor_t> handles;
  for (int64_t i = 0; i < count; ++i) {
    algorithms.emplace_back(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    handles.push_back(algorithms.back().get());
  }
  int64_t usable = 0;
  if (count > 0)
    expect_cudnn(cudnn()->get(advice.get(), CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                              count, &usable, handles.data()),
                 "the algorithms");
  for (int64_t i = 0; i < usable; ++i) {
    auto plan = std::make_unique<CudnnDescriptor>(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    plan->set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, &cudnn()->handle);
    plan->set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, algorithms[size_t(i)]);
    if (!plan->finalize()) continue;
    int64_t bytes = 0, got = 0;
    expect_cudnn(cudnn()->get(plan->get(), CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                              &got, &bytes),
                 "the size of a workspace");
    void* const workspace = bytes > 0 ? allocate(size_t(bytes)) : nullptr;
    if (bytes > 0 && !workspace) continue;
    workspace_ = workspace;
    plan_ = std::move(plan);
    return true;
  }
  return false;
}

void CudnnPlan::run(Stream stream, const std::vector<std::pair<int64_t, void*>>& pointers) const {
  std::vector<int64_t> ids;
  std::vector<void*> data;
  for (const auto& [id, pointer] : pointers) {
    ids.push_back(id);
    data.push_back(pointer);
  }
  CudnnDescriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
  pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, ids.data(), int64_t(ids.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, data.data(), int64_t(data.size()));
  pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, &workspace_);
  if (!pack.finalize()) throw CudaError("cudnn: the pointers of an operation are refused");
  expect_cudnn(cudnn()->set_stream(cudnn()->handle, static_cast<cudaStream_t>(stream.handle)), "the stream");
  expect_cudnn(cudnn()->execute(cudnn()->handle, plan_->get(), pack.get()), "an operation");
  ++vendor_calls;
}

}  // namespace limoe::cuda

// A library of the vendor that is looked for when it is first asked for.
#pragma once

#include <dlfcn.h>

#include <string>

namespace limoe::cuda {

// lib<name>.so.<major>, else lib<name>.so; null, with dlerror() set, when neither can be loaded.
inline void* open_library(const std::string& name, int major) {
  const std::string any = "lib" + name + ".so";
  void* const library = dlopen((any + "." + std::to_string(major)).c_str(), RTLD_NOW | RTLD_LOCAL);
  return library ? library : dlopen(any.c_str(), RTLD_NOW | RTLD_LOCAL);
}

// True when the library has the function.
template <class Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace limoe::cuda

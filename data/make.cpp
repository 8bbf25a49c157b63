// The table of makers.
#include "data/make.h"

#include "tensor/error.h"

namespace limoe {

const std::vector<Maker>& makers() {
  static const std::vector<Maker> table = {
      {"emoji", "3,655 emoji with names and keywords, split by concept", make_emoji},
      {"fashion-mnist", "70,000 photos of clothes in ten classes", make_fashion_mnist},
      {"shapes", "procedural scenes of shapes, as many and as hard as asked for", make_shapes}};
  return table;
}

const Maker& find_maker(const std::string& name) {
  std::string names;
  for (const Maker& maker : makers()) {
    if (name == maker.name) return maker;
    names += std::string(names.empty() ? "" : ", ") + maker.name;
  }
  throw UsageError("data: name is '", name, "'; expected one of ", names);
}

}  // namespace limoe

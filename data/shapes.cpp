// The maker of the shapes data set.
#include "data/shapes.h"

#include <algorithm>

#include "data/dataset_files.h"
#include "data/make.h"
#include "data/output_folder.h"
#include "data/shards.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int64_t kSamplesPerShard = 10'000;
constexpr int64_t kHeldoutShare = 10;  // one held-out scene for ten of training
constexpr int64_t kMaxCount = 100'000'000;
constexpr int64_t kProgressEvery = 500;

struct SplitPlan {
  const char* name;
  ShapePart part;
  int64_t count;
};

// Up to difficulty 2 a scene has one object, so its shape is its class.
bool has_classes(int difficulty) {
  return difficulty <= 2;
}

}  // namespace

void make_shapes(const MakeOptions& options) {
  int size = options.size == 0 ? kShapesSize : options.size;
  int64_t count = options.count == 0 ? kShapesCount : options.count;
  check_picture_size("shapes", size);
  if (count < 1 || count > kMaxCount)
    throw ValueError("shapes: count is ", count, "; expected 1 to ", kMaxCount, " training scenes");
  make_shape_scene(options.seed, 0, options.difficulty, ShapePart::kTrain);  // refuses a wrong difficulty
  OutputFolder folder(options.out, options.force);

  SplitPlan plans[] = {{"train", ShapePart::kTrain, count},
                       {"heldout", ShapePart::kHeldout, std::max<int64_t>(count / kHeldoutShare, 1)}};
  int64_t total = plans[0].count + plans[1].count, done = 0;
  DatasetDescription description{
      "shapes", size, {}, {{"seed", options.seed}, {"difficulty", options.difficulty}}, {}};
  for (const SplitPlan& plan : plans) {
    ShardWriter writer(folder.path() + "/" + plan.name, kSamplesPerShard);
    for (int64_t i = 0; i < plan.count; ++i) {
      ShapeScene scene = make_shape_scene(options.seed, i, options.difficulty, plan.part);
      std::vector<uint8_t> png = encode_png(draw_shape_scene(scene, size));
      std::string caption = shape_caption(scene), json = shape_json(scene);
      int class_index = has_classes(options.difficulty) ? scene.groups[0].shape : -1;
      writer.add({shard_key(i), png, caption, json, class_index});
      if (++done % kProgressEvery == 0 && options.progress) options.progress(done, total);
    }
    writer.finish();
    description.splits.emplace_back(plan.name, plan.count);
  }
  description.sources = {{"Pictures, captions", "drawn by this program", "", "none needed"}};
  write_description(folder.path(), description);
  if (has_classes(options.difficulty))
    write_class_files(folder.path(), {kShapeNames.begin(), kShapeNames.end()},
                      {"{c}", "a {c}", "a picture of a {c}"});
  folder.commit();
}

}  // namespace limoe

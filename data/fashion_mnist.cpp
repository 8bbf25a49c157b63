// The maker of the Fashion-MNIST data set.
#include "data/fashion_mnist.h"

#include "data/dataset_files.h"
#include "data/make.h"
#include "data/output_folder.h"
#include "data/resize.h"
#include "data/shards.h"
#include "data/stable_hash.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr const char* kFolder = "/usr/share/datasets/fashion-mnist/";
constexpr int64_t kSamplesPerShard = 10'000;
constexpr int64_t kProgressEvery = 1000;

struct SplitFiles {
  const char* name;
  const char* prefix;
};

constexpr SplitFiles kSplits[] = {{"train", "train"}, {"test", "t10k"}};

Image grey_to_rgb(const IdxImages& images, int64_t index) {
  int64_t count = int64_t{images.height} * images.width;
  const uint8_t* from = images.pixels.data() + index * count;
  Image image{images.width, images.height, {}};
  image.pixels.reserve(static_cast<size_t>(count) * 3);
  for (int64_t i = 0; i < count; ++i) image.pixels.insert(image.pixels.end(), 3, from[i]);
  return image;
}

struct LabelledImages {
  IdxImages images;
  std::vector<uint8_t> labels;
};

LabelledImages read_split(const char* prefix) {
  std::string start = std::string(kFolder) + prefix;
  LabelledImages split{read_idx_images(start + "-images-idx3-ubyte.gz"),
                       read_idx_labels(start + "-labels-idx1-ubyte.gz")};
  if (split.images.count != static_cast<int64_t>(split.labels.size()))
    throw FileError(start, "-labels-idx1-ubyte.gz: has ", split.labels.size(), " labels; expected ",
                    split.images.count);
  for (uint8_t label : split.labels)
    if (label >= fashion_mnist_classes().size())
      throw FileError(start, "-labels-idx1-ubyte.gz: label is ", int{label}, "; expected 0 to ",
                      fashion_mnist_classes().size() - 1);
  return split;
}

}  // namespace

const std::vector<std::string>& fashion_mnist_classes() {
  static const std::vector<std::string> names = {"t-shirt", "trouser", "pullover", "dress", "coat",
                                                 "sandal",  "shirt",   "sneaker",  "bag",   "ankle boot"};
  return names;
}

const std::vector<std::string>& fashion_mnist_templates() {
  static const std::vector<std::string> templates = {
      "{c}",         "a photo of a {c}", "a picture of a {c}",      "a grey photo of a {c}",
      "a small {c}", "clothing: {c}",    "an item of clothing: {c}"};
  return templates;
}

std::string fashion_mnist_caption(int class_index, int64_t index, uint64_t seed) {
  const std::vector<std::string>& templates = fashion_mnist_templates();
  CounterRandom random(seed, static_cast<uint64_t>(index));
  std::string caption = templates[static_cast<size_t>(random.below(static_cast<int>(templates.size())))];
  const std::string& name = fashion_mnist_classes().at(static_cast<size_t>(class_index));
  if (name[0] == 'a')  // "an ankle boot"
    if (size_t article = caption.find(" a {c}"); article != std::string::npos)
      caption.replace(article, 3, " an ");
  return caption.replace(caption.find("{c}"), 3, name);
}

void make_fashion_mnist(const MakeOptions& options) {
  int size = options.size == 0 ? kFashionMnistSize : options.size;
  check_picture_size("fashion-mnist", size);
  OutputFolder folder(options.out, options.force);
  LabelledImages parts[] = {read_split(kSplits[0].prefix), read_split(kSplits[1].prefix)};
  int64_t total = parts[0].images.count + parts[1].images.count, done = 0;

  DatasetDescription description{"fashion-mnist", size, {}, {{"seed", options.seed}}, {}};
  for (int s = 0; s < 2; ++s) {
    const LabelledImages& split = parts[s];
    ShardWriter writer(folder.path() + "/" + kSplits[s].name, kSamplesPerShard);
    for (int64_t i = 0; i < split.images.count; ++i) {
      int label = split.labels[static_cast<size_t>(i)];
      std::vector<uint8_t> png = encode_png(resize_bicubic(grey_to_rgb(split.images, i), size, size));
      std::string caption = fashion_mnist_caption(label, i, options.seed);
      writer.add({shard_key(i), png, caption, {}, label});
      if (++done % kProgressEvery == 0 && options.progress) options.progress(done, total);
    }
    writer.finish();
    description.splits.emplace_back(kSplits[s].name, split.images.count);
  }
  description.sources = {{"Pictures, labels", "Fashion-MNIST, Zalando SE", "dataset-fashion-mnist", "MIT"},
                         {"Captions", "templates of this program", "", ""}};
  write_description(folder.path(), description);
  write_class_files(folder.path(), fashion_mnist_classes(),
                    {"{c}", "a photo of a {c}", "a picture of a {c}"});
  folder.commit();
}

}  // namespace limoe

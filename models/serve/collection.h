// A trained model and the pictures it is shown with: what a page asks for, computed.
//
// Made once: every picture is embedded and routed, and every caption routed, in batches. Afterwards it only
// answers, from any number of threads; one at a time uses the model.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "models/serve/gallery.h"
#include "models/train/checkpoint.h"
#include "models/train/embed.h"
#include "models/train/expert_favourites.h"
#include "models/train/expert_view.h"

namespace limoe {

struct Found {
  std::vector<int64_t> pictures;  // best first; equal ones in the gallery's order
  std::vector<float> scores;      // cosines, one for each of `pictures`
};

class Collection {
 public:
  // At most `most` pictures. Throws FileError when none can be read, ValueError for most < 1.
  Collection(LoadedModel loaded, std::vector<Shelf> shelves, int64_t most, const EmbedProgress& progress);

  // The `count` pictures most like the phrase.
  Found search(const std::string& phrase, int64_t count) const;
  TextExperts experts_of_phrase(const std::string& phrase) const;
  bool is_cut(const std::string& phrase) const;  // has more pieces than the model reads

  const ImageExperts& experts_of_picture(int64_t picture) const { return views_.at(size_t(picture)); }
  const TextExperts& experts_of_caption(int64_t picture) const { return caption_views_.at(size_t(picture)); }
  const std::vector<std::vector<Favourites>>& favourites() const { return favourites_; }  // [layers][experts]
  const std::vector<int64_t>& blocks() const { return blocks_; }  // of the layers; none for a dense model

  const Gallery& gallery() const { return gallery_; }
  const LoadedModel& loaded() const { return loaded_; }
  const LimoeConfig& config() const { return loaded_.model->config(); }

 private:
  void add(const std::vector<Image>& squares, std::vector<Tensor>& rows);

  LoadedModel loaded_;
  std::vector<int64_t> blocks_;
  Gallery gallery_;
  Tensor embeddings_;  // [pictures, J]
  std::vector<ImageExperts> views_;
  std::vector<TextExperts> caption_views_;
  std::vector<std::vector<Favourites>> favourites_;
  mutable std::mutex one_at_a_time_;
};

}  // namespace limoe

#include <algorithm>
#include <vector>

#include "models/report/html.h"
#include "models/report/sections.h"
#include "models/train/readable.h"
#include "models/train/retrieval.h"
#include "ops/matmul.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int64_t kShown = 5;  // pictures a phrase

struct Query {
  int64_t text = 0, rank = 0;  // rank of its own picture, from 0
  std::vector<int64_t> best;   // pictures
  std::vector<float> scores;   // of all pictures
};

struct Wanted {
  int64_t hits, near_misses, failures;
};

// Scores of every picture for one text.
std::vector<float> scores_of_text(const Tensor& scores, int64_t text) {  // [I, T]
  std::vector<float> column;
  const float* all = scores.data<float>();
  for (int64_t image = 0; image < scores.dim(0); ++image) column.push_back(all[image * scores.dim(1) + text]);
  return column;
}

// Some texts of every kind, spread evenly over those of the kind.
std::vector<Query> choose_queries(const Tensor& scores, const Wanted& wanted) {
  std::vector<int64_t> own;
  for (int64_t i = 0; i < scores.dim(0); ++i) own.push_back(i);
  const std::vector<int64_t> ranks = ranks_of_images(scores, own);
  std::vector<int64_t> kinds[3];  // hits, near misses, failures
  for (const int64_t text : own)
    kinds[ranks[size_t(text)] == 0 ? 0 : ranks[size_t(text)] < kShown ? 1 : 2].push_back(text);
  const int64_t counts[3] = {wanted.hits, wanted.near_misses, wanted.failures};
  std::vector<Query> queries;
  for (int kind = 0; kind < 3; ++kind)
    for (const int64_t at : spread_evenly(int64_t(kinds[kind].size()), counts[kind])) {
      const int64_t text = kinds[kind][size_t(at)];
      Query query{text, ranks[size_t(text)], {}, scores_of_text(scores, text)};
      query.best = best_of(query.scores, kShown);
      queries.push_back(std::move(query));
    }
  return queries;
}

std::string found_picture(const ReportPairs& pairs, const Query& query, int64_t image, PictureStore& pictures,
                          const std::string& below) {
  const bool is_right = image == query.text;
  const std::string id = pictures.add(pairs.images[size_t(image)]);
  return std::string("<figure class=\"found") + (is_right ? " right" : "") + "\">" +
         picture_html(id, pairs.captions[size_t(image)]) + "<figcaption>" + (is_right ? "✓ " : "") + below +
         "</figcaption></figure>";
}

std::string query_html(const ReportPairs& pairs, const Query& query, PictureStore& pictures) {
  const std::string verdict = query.rank == 0 ? "found first"
                                              : "its picture is number " + std::to_string(query.rank + 1) +
                                                    " of " + grouped_digits(int64_t(pairs.size()));
  std::string html = "<div class=\"query\"><p>“" + escaped(pairs.captions[size_t(query.text)]) +
                     "” <span class=\"verdict " + (query.rank == 0 ? "good" : "") + "\">" + verdict +
                     "</span></p><div class=\"strip\">";
  for (const int64_t image : query.best)
    html += found_picture(pairs, query, image, pictures, with_decimals(query.scores[size_t(image)], 2));
  if (query.rank >= kShown)
    html +=
        "<span class=\"gap\">…</span>" +
        found_picture(pairs, query, query.text, pictures, with_decimals(query.scores[size_t(query.text)], 2));
  return html + "</div></div>\n";
}

std::string set_html(const ReportSource& source, const ReportPairs& pairs, const Wanted& wanted,
                     PictureStore& pictures) {
  const Limoe& model = *source.loaded->model;
  const auto image_at = [&](int64_t i) { return pairs.images[size_t(i)]; };
  const EmbedOptions options{.progress = source.progress};
  const Tensor images = embed_images(model, int64_t(pairs.size()), image_at, options);
  const Tensor texts = embed_texts(model, *source.loaded->tokenizer, pairs.captions, options);
  std::string html;
  for (const Query& query : choose_queries(matmul_forward(images, texts, {.b = true}), wanted))
    html += query_html(pairs, query, pictures);
  std::string note;
  if (int64_t(pairs.size()) < pairs.all)
    note = "<p class=\"note\">Among " + grouped_digits(int64_t(pairs.size())) + " of its " +
           grouped_digits(pairs.all) + " pairs, spread evenly.</p>";
  return note + "<div class=\"queries\">" + html + "</div>";
}

}  // namespace

std::string retrieval_section(const ReportSource& source, PictureStore& pictures) {
  constexpr Wanted kFirstSet{4, 2, 4}, kFurtherSet{2, 2, 2};
  const char* kHeading = "Retrieval examples";
  if (!source.loaded)
    return html_section("retrieval", kHeading, "", html_missing("No model: " + source.no_model));
  if (source.held_out.empty())
    return html_section(
        "retrieval", kHeading, "",
        html_missing("The config names no held-out set (val-data), so there are no examples."));
  std::string body;
  bool is_first = true;
  for (const ReportPairs& pairs : source.held_out) {
    if (pairs.size() == 0) {
      body += html_missing(pairs.name + " cannot be read: " + pairs.reason);
      continue;
    }
    const std::string inside = set_html(source, pairs, is_first ? kFirstSet : kFurtherSet, pictures);
    const std::string name = escaped(pairs.name) + " <small>" + grouped_digits(pairs.all) + " pairs</small>";
    body += is_first ? "<h3>" + name + "</h3>" + inside
                     : "<details><summary>" + name + "</summary>" + inside + "</details>\n";
    is_first = false;
  }
  return html_section(
      "retrieval", kHeading,
      "A phrase, and the five pictures whose embeddings lie closest, with the cosine of the angle. The "
      "right one is framed. Hits, near misses and failures, each spread evenly over all of their kind.",
      body);
}

}  // namespace limoe

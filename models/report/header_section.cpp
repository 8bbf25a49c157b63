#include <cmath>
#include <filesystem>

#include "models/limoe/info.h"
#include "models/report/html.h"
#include "models/report/sections.h"
#include "models/train/readable.h"
#include "tensor/error.h"

namespace limoe {
namespace {

std::string run_name(const std::string& run) {
  const std::filesystem::path path = std::filesystem::absolute(run).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

std::string tile(const std::string& figure, const std::string& what) {
  return "<div class=\"tile\"><b>" + escaped(figure) + "</b><span>" + escaped(what) + "</span></div>";
}

std::string millions(int64_t count) {
  return count < 100000 ? grouped_digits(count) : with_decimals(double(count) / 1e6, 2) + " M";
}

std::string tiles(const ReportSource& source, const ModelInfo& info) {
  const double loss = source.metrics.last("train/contrastive_loss");
  std::string html = "<div class=\"tiles\">";
  html += tile(grouped_digits(source.last_step()),
               "steps of " + grouped_digits(source.train_config.batch_size) + " pairs");
  const double seconds = source.training_seconds();
  if (seconds > 0) html += tile(readable_seconds(seconds), "of training");
  const double seen = source.metrics.last("samples_seen");
  if (seconds > 0 && seen > 0) html += tile(grouped_digits(std::llround(seen / seconds)), "pairs a second");
  if (std::isfinite(loss)) html += tile(with_decimals(loss, 3), "contrastive loss, last");
  html += tile(millions(info.parameters), "parameters");
  html += tile(millions(info.active_parameters), "active for a token");
  return html + "</div>\n";
}

ReportTable model_rows(const LimoeConfig& c, const ModelInfo& info) {
  ReportTable table{"Model", {}};
  table.rows.emplace_back(
      "tower", concatenate(c.layers, " blocks, width ", c.width, ", ", c.heads, " heads, MLP ", c.mlp_width));
  std::string blocks;
  for (const int64_t block : info.moe_blocks) blocks += (blocks.empty() ? "" : ", ") + std::to_string(block);
  table.rows.emplace_back(
      "experts", info.moe_blocks.empty()
                     ? std::string("none: a dense model")
                     : concatenate(c.experts, " in blocks ", blocks, ", ", c.experts_per_token, " a token"));
  table.rows.emplace_back("a picture", concatenate(c.image_size, " px in patches of ", c.patch_size, ": ",
                                                   info.image_tokens, " tokens"));
  table.rows.emplace_back("a text", concatenate(info.text_tokens, " tokens at most, of ",
                                                grouped_digits(c.vocabulary), " pieces"));
  table.rows.emplace_back(
      "work", with_decimals(double(info.training_pair_flop) / 1e9, 3) + " GFLOP a pair in training");
  return table;
}

std::string table_html(const ReportTable& table) {
  std::string html = "<div class=\"facts\"><h3>" + escaped(table.heading) + "</h3><dl>";
  for (const auto& [what, value] : table.rows)
    html += "<dt>" + escaped(what) + "</dt><dd>" + escaped(value) + "</dd>";
  return html + "</dl></div>\n";
}

ReportTable logged_table(const ReportSource& source, const std::string& heading) {
  const auto found = source.tables.find(heading);
  if (found != source.tables.end()) return found->second;
  return {heading, {{"unknown", "the run's out.log does not say"}}};
}

}  // namespace

std::string header_html(const ReportSource& source) {
  const ModelInfo info = model_info(source.model_config);
  std::string html = "<header id=\"header\"><p class=\"kind\">limoe report</p><h1>" +
                     escaped(run_name(source.run)) + "</h1>\n" + tiles(source, info);
  if (!source.notes.empty()) {
    html += "<div class=\"notes\"><h3>What to know about this page</h3><ul>";
    for (const std::string& note : source.notes) html += "<li>" + escaped(note) + "</li>";
    html += "</ul></div>\n";
  }
  html += "<div class=\"fact-row\">" + table_html(model_rows(source.model_config, info)) +
          table_html(logged_table(source, "Data")) + table_html(logged_table(source, "Machine")) + "</div>";
  return html + "</header>\n";
}

}  // namespace limoe

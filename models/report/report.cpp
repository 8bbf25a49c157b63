#include "models/report/report.h"

#include <filesystem>

#include "models/report/html.h"
#include "models/report/page.h"
#include "models/report/palette.h"
#include "models/report/sections.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {

std::string report_html(const ReportSource& source) {
  PictureStore pictures;
  std::string body = header_html(source);
  body += figures_section(source);
  body += curves_section(source);
  body += routing_section(source);
  body += retrieval_section(source, pictures);
  body += experts_section(source, pictures);
  body += favourites_section(source, pictures);
  body += memory_section(source);
  body += config_section(source);
  const std::string name = std::filesystem::path(source.run).lexically_normal().string();
  return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>limoe report: " +
         escaped(name) + "</title>\n<style>" + page_style() + palette_css(source.model_config.experts) +
         "</style>\n</head>\n<body>\n" + pictures.definitions_html() + "<main>\n" + body +
         "</main>\n<script>" + page_script() + "</script>\n</body>\n</html>\n";
}

WrittenReport write_report(const std::string& run, const std::string& file, const EmbedProgress& progress) {
  if (!std::filesystem::is_directory(run)) throw FileError(run, ": is no folder; expected a run's folder");
  const ReportSource source = read_report_source(run, progress);
  const std::string html = report_html(source);
  const std::string path = file.empty() ? run + "/report.html" : file;
  AtomicFile out(path);
  out.write(html.data(), html.size());
  out.commit();
  return {path, html.size(), source.notes};
}

}  // namespace limoe

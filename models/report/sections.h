// The sections of a report, in the order of the page, each as HTML. A section whose matter is missing says
// so.
#pragma once

#include <string>

#include "models/report/picture_store.h"
#include "models/report/report_source.h"

namespace limoe {

std::string header_html(const ReportSource& source);      // title, what is missing, tables
std::string figures_section(const ReportSource& source);  // retrieval, zero-shot
std::string curves_section(const ReportSource& source);   // losses and speed over steps
std::string routing_section(const ReportSource& source);  // load, drops, entropies over steps
std::string retrieval_section(const ReportSource& source, PictureStore& pictures);   // hits and failures
std::string experts_section(const ReportSource& source, PictureStore& pictures);     // tinted patches, words
std::string favourites_section(const ReportSource& source, PictureStore& pictures);  // of every expert
std::string memory_section(const ReportSource& source);  // estimate, measured peak
std::string config_section(const ReportSource& source);

}  // namespace limoe

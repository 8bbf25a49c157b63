// What a report is put together from: text as HTML, a run's metrics and log, pairs of a set.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>

#include "models/report/html.h"
#include "models/report/report_pairs.h"
#include "models/report/run_log.h"
#include "models/report/run_metrics.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("html: text is escaped, and bytes that are no UTF-8 are replaced") {
  CHECK(escaped("<a href=\"x\">&'") == "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
  CHECK(escaped("h\xC3\xB3ng \xF0\x9F\x98\x80") == "h\xC3\xB3ng \xF0\x9F\x98\x80");
  CHECK(escaped("\xC3") == "\xEF\xBF\xBD");
  CHECK(escaped("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");                    // overlong
  CHECK(escaped("a\xED\xA0\x80") == "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  CHECK(escaped(std::string("a\0\x1B", 3)) == "a  ");
}

TEST_CASE("html: base64 is that of RFC 4648") {
  const auto coded = [](const std::string& text) {
    return base64({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  CHECK(coded("") == "");
  CHECK(coded("f") == "Zg==");
  CHECK(coded("fo") == "Zm8=");
  CHECK(coded("foobar") == "Zm9vYmFy");
  CHECK(coded("\xFB\xFF\xFE") == "+//+");
}

TEST_CASE("metrics: columns hold a gap where a step has no number, and a step done again counts once") {
  const ScratchFolder folder;
  std::ofstream(folder / "m.jsonl") << R"({"step":10,"train/loss":1,"router/a/load":[0.5,0.5]})"
                                    << "\n"
                                    << R"({"step":20,"train/loss":null,"train/lr":3})"
                                    << "\n\n"
                                    << R"({"step":10,"train/loss":2})"
                                    << "\n"
                                    << R"({"step":30,"train/loss":"x"})"
                                    << "\n"
                                    << R"({"step":30,"eval/a b/acc1":0.5,"eval/router/load":[1]})"
                                    << "\n";
  const RunMetrics metrics = read_run_metrics(folder / "m.jsonl");
  CHECK(metrics.steps == std::vector<double>{10, 20, 30});
  CHECK(metrics.of("train/loss")[0] == 2);
  CHECK(std::isnan(metrics.of("train/loss")[1]));
  CHECK(std::isnan(metrics.of("train/loss")[2]));
  CHECK(metrics.last("train/loss") == 2);
  CHECK(metrics.last("train/lr") == 3);
  CHECK(std::isnan(metrics.of("nothing").at(2)));
  CHECK(metrics.evaluation == std::vector<std::pair<std::string, double>>{{"a b/acc1", 0.5}});
  CHECK(metrics.notes.empty());
}

TEST_CASE("pairs of a report are spread evenly over the set, none twice") {
  CHECK(spread_evenly(10, 3) == std::vector<int64_t>{0, 3, 6});
  CHECK(spread_evenly(2, 5) == std::vector<int64_t>{0, 1});
  CHECK(spread_evenly(0, 5).empty());
}

TEST_CASE("the tables of a log are read by heading, of a run that went on the last ones") {
  const ScratchFolder folder;
  std::ofstream(folder / "out.log") << "reading a\nData\n  pairs: 3: all\nstep 1/2\nData\n  pairs: 4\n";
  const auto tables = read_run_tables(folder / "out.log");
  REQUIRE(tables.contains("Data"));
  CHECK(tables.at("Data").rows == std::vector<std::pair<std::string, std::string>>{{"pairs", "4"}});
  CHECK(read_run_tables(folder / "nothing").empty());
}

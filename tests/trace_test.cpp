#include "models/train/trace.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "autograd/backward.h"
#include "autograd/recompute.h"
#include "ops/gelu.h"
#include "ops/mul.h"
#include "ops/sum.h"
#include "tensor/factory.h"

namespace limoe {
namespace {

using Json = nlohmann::json;

std::vector<Json> spans(const Json& trace) {
  std::vector<Json> spans;
  for (const Json& event : trace.at("traceEvents"))
    if (event.at("ph") == "X") spans.push_back(event);
  return spans;
}

double end_of(const Json& span) {
  return span.at("ts").get<double>() + span.at("dur").get<double>();
}

// Of two spans on one thread, one lies within the other or they do not touch.
bool nest(const Json& a, const Json& b) {
  const double a0 = a.at("ts"), a1 = end_of(a), b0 = b.at("ts"), b1 = end_of(b);
  constexpr double kRounding = 1e-3;  // of sums of microseconds
  return a1 <= b0 + kRounding || b1 <= a0 + kRounding || (a0 <= b0 + kRounding && b1 <= a1 + kRounding) ||
         (b0 <= a0 + kRounding && a1 <= b1 + kRounding);
}

Json span_from(double begin, double duration) {
  return {{"ts", begin}, {"dur", duration}};
}

Var mean_square_of_gelu(const Var& x) {
  const NameScope block("blocks.0");
  const NameScope layer("mlp");
  const Var y = gelu(x);
  return sum(mul(y, y));
}

}  // namespace

TEST_CASE("spans that overlap without nesting are noticed") {
  CHECK(nest(span_from(0, 10), span_from(2, 3)));
  CHECK(nest(span_from(0, 10), span_from(10, 3)));
  CHECK_FALSE(nest(span_from(0, 10), span_from(5, 10)));
}

TEST_CASE("a trace holds every op, forward and backward, in its phase, with layer, shapes, dtype and bytes") {
  Trace trace;
  {
    const Trace::Span step(&trace, "step", "step 3");
    backward(mean_square_of_gelu(leaf(zeros({4, 5}))));
  }
  const Json json = Json::parse(trace.json());
  std::vector<std::string> names;
  for (const Json& span : spans(json)) names.push_back(span.at("name"));
  CHECK(names == std::vector<std::string>{"gelu", "mul", "sum", "sum backward", "mul backward",
                                          "gelu backward", "step 3"});
  const std::vector<Json> all = spans(json);
  CHECK(all[0].at("cat") == "forward");
  CHECK(all[5].at("cat") == "backward");
  for (const std::size_t gelu : {0, 5})
    CHECK(all[gelu].at("args") == Json{{"layer", "blocks.0.mlp"},
                                       {"shape", "[4, 5]"},
                                       {"dtype", "f32"},
                                       {"bytes", 80},
                                       {"inputs", {"[4, 5]"}}});
  for (const Json& a : all) {
    CHECK(a.at("dur").get<double>() >= 0);
    CHECK(nest(all.back(), a));
    for (const Json& b : all) CHECK(nest(a, b));
  }
}

TEST_CASE("ops that are recomputed lie within the backward span that needs them") {
  Trace trace;
  const Var x = leaf(zeros({4, 5}));
  backward(sum(recompute([](const std::vector<Var>& in) { return std::vector<Var>{gelu(in[0])}; }, {x})[0]));
  const std::vector<Json> all = spans(Json::parse(trace.json()));
  for (const Json& a : all)
    for (const Json& b : all) CHECK(nest(a, b));
  CHECK(all.back().at("name").get<std::string>().find("backward") != std::string::npos);
}

TEST_CASE("memory is counted after every span, and nothing is watched once the trace is gone") {
  Json json;
  {
    Trace trace;
    mean_square_of_gelu(leaf(zeros({4, 5})));
    json = Json::parse(trace.json());
  }
  int64_t counters = 0;
  for (const Json& event : json.at("traceEvents"))
    if (event.at("ph") == "C") {
      ++counters;
      CHECK(event.at("args").at("bytes").get<int64_t>() >= 80);
    }
  CHECK(counters == 3);
  CHECK_NOTHROW(backward(mean_square_of_gelu(leaf(zeros({2, 2})))));
}

TEST_CASE("without a trace a span does nothing") {
  const Trace::Span span(nullptr, "phase", "clip");
}

}  // namespace limoe

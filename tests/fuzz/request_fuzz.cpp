// A request to `limoe serve`. Mode bit 0: the input is all that a client sends, through a socket; otherwise
// it is the target of a request.
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "models/serve/local_server.h"
#include "tensor/parallel.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/support/serve_fixture.h"

using namespace limoe;

namespace {

// The fault is never ours, and an error is one line of JSON.
void expect_answer(const Reply& reply) {
  fuzzing::expect(reply.status == 200 || reply.status == 400 || reply.status == 404,
                  "status 200, 400 or 404");
  fuzzing::expect(!reply.body.empty(), "an answer");
  if (reply.type != "application/json") return;
  const auto json = nlohmann::json::parse(reply.body, nullptr, false);
  fuzzing::expect(json.is_object(), "an object");
  if (reply.status != 200) fuzzing::expect_one_line(json.at("error").get<std::string>());
}

// Without a thread between, or libFuzzer takes what one has freed and the other not yet for a leak. Both ends
// hold more than an answer and more than a head may be long; of an input beyond that the rest is not sent.
std::string answer_to(LocalServer& server, std::string_view bytes) {
  int ends[2];
  fuzzing::expect(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "a pair of sockets");
  const auto [client, served] = ends;
  send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  shutdown(client, SHUT_WR);
  server.converse(served);
  std::string answer;
  char buffer[4096];
  for (ssize_t count = 0; (count = recv(client, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, size_t(count));
  close(client);
  return answer;
}

// On one thread: the model is so small that waking others takes longer than what they do.
std::shared_ptr<const Site> small_site() {
  set_thread_count(1);
  LimoeConfig config = testing::served_config();
  config.layers = 2;
  config.text_length = 8;
  return std::make_shared<const Site>(testing::served_collection(config), "small");
}

struct Server {
  explicit Server(std::shared_ptr<const Site> site) { server.serve(std::move(site)); }
  LocalServer server{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzzing::Input input(data, size);
  const std::string text = fuzzing::text_of(input.rest);
  static const std::shared_ptr<const Site> site = small_site();
  static Server server(site);
  fuzzing::expect_parsed_or_refused([&] {
    if (!input.has(0)) return expect_answer(site->answer(text));
    const std::string answer = answer_to(server.server, text);
    fuzzing::expect(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer in HTTP");
    fuzzing::expect(!answer.starts_with("HTTP/1.1 500"), "no fault of ours");
  });
  return 0;
}

// A request to `limoe serve`. Mode bit 0: the input is all that a client sends, through a socket; otherwise
// it is the target of a request.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "models/serve/local_server.h"
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

std::string answer_to(int port, std::string_view bytes) {
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  fuzzing::expect(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
                  "a connection");
  for (ssize_t sent = 0;
       !bytes.empty() && (sent = send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL)) > 0;)
    bytes.remove_prefix(size_t(sent));
  shutdown(client, SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t count = 0; (count = recv(client, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, size_t(count));
  close(client);
  return answer;
}

struct Server {
  Server() { server.serve(testing::served_site()); }
  LocalServer server{0};
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzzing::Input input(data, size);
  const std::string text = fuzzing::text_of(input.rest);
  const Site& site = *testing::served_site();
  static const Server server;
  fuzzing::expect_parsed_or_refused([&] {
    if (!input.has(0)) return expect_answer(site.answer(text));
    const std::string answer = answer_to(server.server.port(), text);
    fuzzing::expect(answer.empty() || answer.starts_with("HTTP/1.1 "), "an answer in HTTP");
    fuzzing::expect(!answer.starts_with("HTTP/1.1 500"), "no fault of ours");
  });
  return 0;
}

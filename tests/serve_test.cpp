// The server of `limoe serve`, spoken to by a well-behaved client and by bare sockets.
#include <doctest/doctest.h>

#include "models/serve/local_server.h"
#include "tests/support/serve_fixture.h"

using namespace limoe;
using namespace limoe::testing;

TEST_CASE("serve: the names of this machine are local, names that others can give out are not") {
  for (const char* host : {"localhost", "localhost:8642", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:80"}) {
    INFO(host);
    CHECK(is_local_host(host));
  }
  for (const char* host : {"", "evil.example", "evil.example:8642", "localhost.evil.example",
                           "127.0.0.1.evil.example", "localhost:80:80", "localhost:x", "127.0.0.2", "0.0.0.0",
                           "::1", "localhost@evil", "LOCAL", "localhost evil"}) {
    INFO(host);
    CHECK(!is_local_host(host));
  }
}

TEST_CASE("serve: what is no port is an error of the caller") {
  CHECK_THROWS_AS(LocalServer(-1), Error);
  CHECK_THROWS_AS(LocalServer(65536), Error);
}

#ifndef LIMOE_HAVE_HTTPLIB

TEST_CASE("serve: a build without the HTTP library says which package it lacks") {
  CHECK_THROWS_WITH_AS(LocalServer(0), doctest::Contains("libcpp-httplib-dev"), FileError);
}

#else

#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <random>
#include <thread>

using nlohmann::json;

namespace {

struct Served {
  explicit Served(bool dense = false) { server.serve(served_site(dense)); }
  LocalServer server{0};
  httplib::Client client{"127.0.0.1", server.port()};
};

int connect_to(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const timeval patience{20, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return socket;
}

// Everything that comes back for these bytes, after which the sending side is closed.
std::string answer_to(int port, const std::string& bytes) {
  const int socket = connect_to(port);
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t count = send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) break;  // it has heard enough
    sent += size_t(count);
  }
  shutdown(socket, SHUT_WR);
  std::string answer;
  char buffer[4096];
  for (ssize_t count; (count = recv(socket, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, size_t(count));
  close(socket);
  return answer;
}

// 0: nothing was answered.
int status_in(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

std::string get(const std::string& target, const std::string& headers = "Host: localhost\r\n") {
  return "GET " + target + " HTTP/1.1\r\n" + headers + "\r\n";
}

bool is_error_in_json(const std::string& answer) {
  const size_t body = answer.find("\r\n\r\n");
  return body != std::string::npos && json::accept(answer.substr(body + 4)) &&
         json::parse(answer.substr(body + 4)).contains("error");
}

}  // namespace

TEST_CASE("serve: a client gets the page, JSON and pictures, and headers that keep others out") {
  Served served;
  const auto page = served.client.Get("/");
  REQUIRE(page);
  CHECK(page->status == 200);
  CHECK(page->get_header_value("Content-Type") == "text/html; charset=utf-8");
  CHECK(page->get_header_value("Content-Security-Policy").starts_with("default-src 'none'"));
  CHECK(page->get_header_value("X-Content-Type-Options") == "nosniff");
  CHECK(!page->has_header("Access-Control-Allow-Origin"));
  const auto found = served.client.Get("/api/search?q=red%20heart&top=5");
  REQUIRE(found);
  CHECK(json::parse(found->body) ==
        json::parse(served_site()->answer("/api/search?q=red%20heart&top=5").body));
  CHECK(found->get_header_value("Cache-Control") == "no-store");
  const auto picture = served.client.Get("/api/pictures/3.png");
  REQUIRE(picture);
  CHECK(picture->body == served_site()->answer("/api/pictures/3.png").body);
  const auto head = served.client.Head("/");
  REQUIRE(head);
  CHECK(head->status == 200);
  CHECK(head->body.empty());
}

TEST_CASE("serve: a dense model is served") {
  Served served(true);
  CHECK(served.client.Get("/api/search?q=red")->status == 200);
}

TEST_CASE("serve: whatever is wrong with a request is answered with a clean 4xx, and the server lives on") {
  Served served;
  const int port = served.server.port();
  const std::string nul(1, '\0');
  const std::pair<int, std::string> wrong[] = {
      {404, get("/../../etc/passwd")},
      {404, get("/%2e%2e/%2e%2e/etc/passwd")},
      {404, get("/api/pictures/..%2f..%2fetc%2fpasswd")},
      {400, get("/api/search?q=%")},
      {400, get("/api/search?q=%zz")},
      {400, get("/api/search?q=%00")},
      {400, get("/api/search?q=%ff%fe")},
      {400, get("/api/search?q=" + std::string(5000, 'a'))},
      {414, get("/api/search?q=" + std::string(10000, 'a'))},
      {431, get("/", "Host: localhost\r\nX: " + std::string(20000, 'a') + "\r\n")},
      {431, std::string(100000, 'a')},
      {403, get("/", "")},
      {403, get("/", "Host: evil.example\r\n")},
      {403, get("/api/info", "Host: localhost.evil.example:8642\r\n")},
      {403, get("/", "Host: localhost\r\nHost: evil.example\r\n")},
      {405, "POST /api/search?q=a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"},
      {405, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n"},
      {405, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"},
      {405, "DELETE /api/pictures/1 HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {405, "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n"},
      {400, "BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n"},
      {400, "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n"},
      {400, "GET /\r\nHost: localhost\r\n\r\n"},
      {400, "GET / HTTP/1.1 x\r\nHost: localhost\r\n\r\n"},
      {400, "\r\n\r\n"},
      {400, nul + nul + "\r\n\r\n"},
      {400, "\x16\x03\x01\x02\r\n\r\n"},
      {400, get("http://evil.example/")},
      {400, get("/" + nul + "x")},
      {400, get("*")},
  };
  for (const auto& [status, bytes] : wrong) {
    INFO(bytes.substr(0, 80));
    const std::string answer = answer_to(port, bytes);
    CHECK(status_in(answer) == status);
    CHECK(is_error_in_json(answer));
    CHECK(answer.find("root:") == std::string::npos);
  }
  CHECK(served.client.Get("/api/info")->status == 200);
  CHECK(!is_error_in_json("HTTP/1.1 404 Not Found\r\n\r\n<html>"));
}

TEST_CASE("serve: odd requests that can be understood are answered") {
  Served served;
  const int port = served.server.port();
  const std::string page = served.client.Get("/")->body;
  std::string ranges = "Range: bytes=0-1";
  for (int i = 0; i < 1500; ++i) ranges += ",0-1";
  for (const std::string& bytes :
       {get("/"), get("/", "Host: 127.0.0.1:" + std::to_string(port) + "\r\n"),
        get("/", "host: localhost\r\n"), get("/", "Host: localhost\r\n" + ranges + "\r\n"),
        get("/", "Host: localhost\r\nConnection: keep-alive\r\n"), get("/") + get("/api/info"),
        get("/", "Host: localhost\r\nExpect: 100-continue\r\n")}) {
    INFO(bytes.substr(0, 80));
    CHECK(answer_to(port, bytes).find(page) != std::string::npos);
  }
  CHECK(answer_to(port, "").empty());
}

TEST_CASE("serve: a head cut short anywhere, or damaged, does no harm") {
  Served served;
  const std::string whole = get("/api/search?q=red&top=2");
  std::mt19937 random{5};
  for (size_t length = 0; length < whole.size(); length += 7) {
    const int status = status_in(answer_to(served.server.port(), whole.substr(0, length)));
    CHECK((status == 0 || (status >= 400 && status < 500)));
  }
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    for (int n = 0; n < 3; ++n) bytes[random() % bytes.size()] = char(random());
    const int status = status_in(answer_to(served.server.port(), bytes));
    CHECK(status < 500);
  }
  CHECK(served.client.Get("/api/info")->status == 200);
}

TEST_CASE("serve: many clients at once get the answers that one gets") {
  Served served;
  const std::string expected = served.client.Get("/api/search?q=thing&top=9")->body;
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 12; ++t)
    threads.emplace_back([&] {
      httplib::Client client("127.0.0.1", served.server.port());
      for (int i = 0; i < 10; ++i) {
        const auto answer = client.Get("/api/search?q=thing&top=9");
        right += answer && answer->body == expected;
        client.Get("/api/pictures/" + std::to_string(i) + ".png");
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == 120);
}

TEST_CASE("serve: a port that is taken is one clear error, and free again when its server is gone") {
  int port = 0;
  {
    Served served;
    port = served.server.port();
    CHECK_THROWS_WITH_AS(LocalServer second(port), doctest::Contains("--port"), FileError);
    CHECK(served.client.Get("/api/info")->status == 200);
  }
  LocalServer again(port);
  CHECK(again.port() == port);
}

TEST_CASE("serve: a server that never served, or is stopped twice, ends") {
  { LocalServer never(0); }
  Served served;
  served.server.stop();
  served.server.stop();
  CHECK(!served.client.Get("/"));
}

#endif

#include "models/serve/local_server.h"

#include <array>

#include "tensor/error.h"

namespace limoe {

bool is_local_host(const std::string& host) {
  const size_t colon = host.rfind(':');
  const bool has_port = colon != std::string::npos && host.find(']', colon) == std::string::npos;
  if (has_port && host.find_first_not_of("0123456789", colon + 1) != std::string::npos) return false;
  const std::string name = host.substr(0, has_port ? colon : host.size());
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

}  // namespace limoe

#ifdef LIMOE_HAVE_HTTPLIB

#include <sys/socket.h>

#include <thread>

#include "models/serve/request_stream.h"

namespace limoe {
namespace {

constexpr size_t kThreads = 8;
constexpr size_t kMostHead = 16 << 10;
constexpr std::chrono::seconds kHeadTime{5};
constexpr std::chrono::seconds kHeadPause{1};  // before its first byte

// Nothing is loaded from anywhere, and nobody may show the page in a frame.
constexpr const char* kContentPolicy =
    "default-src 'none'; img-src 'self'; connect-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void put(httplib::Response& response, const Reply& reply) {
  response.status = reply.status;
  response.set_content(reply.body, reply.type.c_str());
  response.set_header("Cache-Control", reply.may_be_kept ? "private, max-age=86400" : "no-store");
}

const char* sentence_of(int status) {
  switch (status) {
    case 400:
      return "request: is malformed; expected HTTP/1.1";
    case 408:
      return "request: took longer than 5 seconds to arrive";
    case 414:
      return "request: its first line is longer than 8192 bytes; expected a shorter one";
    case 431:
      return "request: its head is longer than 16384 bytes; expected a shorter one";
    default:
      return "request: cannot be answered";
  }
}

}  // namespace

class LocalServer::Http final : public httplib::Server {
 public:
  explicit Http(int port) {
    new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
    // The library would share the port with whoever else asks for it.
    set_socket_options([](int socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    set_default_headers({{"X-Content-Type-Options", "nosniff"},
                         {"Referrer-Policy", "no-referrer"},
                         {"Cross-Origin-Resource-Policy", "same-origin"},
                         {"Content-Security-Policy", kContentPolicy}});
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      put(response, answer(request));
      return HandlerResponse::Handled;
    });
    set_error_handler(httplib::Server::Handler([](const httplib::Request&, httplib::Response& response) {
      if (response.body.empty()) put(response, error_reply(response.status, sentence_of(response.status)));
    }));
    port_ = port == 0 ? bind_to_any_port("127.0.0.1") : bind_to_port("127.0.0.1", port) ? port : -1;
    if (port_ <= 0)
      throw FileError("serve: port ", port, " of 127.0.0.1 is in use or not allowed; expected a free one: ",
                      "give another with --port");
  }

  void serve(std::shared_ptr<const Site> site) {
    site_ = std::move(site);
    listening_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) std::this_thread::yield();
  }

  void end() {
    stop();
    if (listening_.joinable()) listening_.join();
  }

  int port() const { return port_; }

  bool process_and_close_socket(socket_t socket) override {
    RequestStream stream(socket);
    const RequestStream::Head head = stream.read_head(kMostHead, kHeadTime, kHeadPause);
    bool ignored = false, answered = false;
    if (head == RequestStream::Head::whole) answered = process_request(stream, true, ignored, nullptr);
    if (head == RequestStream::Head::too_long) refuse(stream, 431, "Request Header Fields Too Large");
    if (head == RequestStream::Head::too_slow) refuse(stream, 408, "Request Timeout");
    stream.close();
    return answered;
  }

 private:
  Reply answer(const httplib::Request& request) const {
    if (!is_local_host(request.get_header_value("Host")) || request.get_header_value_count("Host") != 1)
      return error_reply(403, "Host: is no name of this machine; expected localhost or 127.0.0.1");
    if (request.method != "GET" && request.method != "HEAD")
      return error_reply(405, "method: is " + request.method + "; expected GET");
    return site_->answer(request.target);
  }

  static void refuse(RequestStream& stream, int status, const char* phrase) {
    const std::string body = error_reply(status, sentence_of(status)).body;
    const std::string text = concatenate("HTTP/1.1 ", status, " ", phrase,
                                         "\r\nContent-Type: application/json\r\nConnection: close\r\n"
                                         "Content-Length: ",
                                         body.size(), "\r\n\r\n", body);
    stream.write(text.data(), text.size());
  }

  std::shared_ptr<const Site> site_;
  int port_ = -1;
  std::thread listening_;
};

LocalServer::LocalServer(int64_t port) {
  if (port < 0 || port > 65535) throw UsageError("--port: is ", port, "; expected 0 to 65535");
  http_ = std::make_unique<Http>(int(port));
}

LocalServer::~LocalServer() {
  stop();
}

int LocalServer::port() const {
  return http_->port();
}

void LocalServer::serve(std::shared_ptr<const Site> site) {
  http_->serve(std::move(site));
}

void LocalServer::stop() {
  if (http_) http_->end();
}

void LocalServer::converse(int socket) {
  http_->process_and_close_socket(socket);
}

}  // namespace limoe

#else

namespace limoe {

class LocalServer::Http {};

LocalServer::LocalServer(int64_t) {
  throw FileError(
      "serve: this build has no HTTP library; expected one made where the package "
      "libcpp-httplib-dev is installed");
}
LocalServer::~LocalServer() = default;
int LocalServer::port() const {
  return 0;
}
void LocalServer::serve(std::shared_ptr<const Site>) {}
void LocalServer::stop() {}
void LocalServer::converse(int) {}

}  // namespace limoe

#endif

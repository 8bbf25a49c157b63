// HTTP for a Site, to this machine alone.
//
// Listens on 127.0.0.1. A request whose Host is not localhost, 127.0.0.1 or [::1] is refused (403): else a
// page from elsewhere whose name was pointed at 127.0.0.1 could read the answers (DNS rebinding). No answer
// allows another origin. GET and HEAD alone are known; a body is never read. What a client can take:
//
//   head of a request    16 KiB, 5 seconds in all      431, 408
//   its first byte       1 second                      closed
//   its first line       8 KiB                         414
//   an answer            10 seconds without progress
//   threads              8; connections are closed after one answer, so that none holds a thread
//
// Malformed requests are answered with 400. Errors have Site's form.
#pragma once

#include <memory>
#include <string>

#include "models/serve/site.h"

namespace limoe {

class LocalServer {
 public:
  // Takes the port; 0: one that is free. Clients wait until serve(). Throws UsageError for no port number,
  // FileError when the port cannot be had or this build has no HTTP library.
  explicit LocalServer(int64_t port);
  ~LocalServer();  // stops
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

  int port() const;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()) + "/"; }
  void serve(std::shared_ptr<const Site> site);  // returns at once; to be called once
  void stop();                                   // ends what is being answered, then returns

  // What the threads do for each client: answers the one request that arrives on a connected socket, and
  // closes it. On the calling thread; after serve().
  void converse(int socket);

 private:
  class Http;
  std::unique_ptr<Http> http_;
};

// Whether a Host header names this machine by a name that nobody else can give out: any port will do.
bool is_local_host(const std::string& host);

}  // namespace limoe

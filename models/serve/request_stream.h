// One request on a connected socket, with a limit on its size and on its time: the library would read lines
// of any length for as long as a client drips them.
//
// read_head() takes the bytes up to the empty line; the library then reads them from here, and nothing after
// them. Range headers are taken out, as a server may ignore them: the library's parser of them goes as deep
// as the header is long.
#pragma once

#include <httplib.h>

#include <chrono>
#include <string>

namespace limoe {

class RequestStream final : public httplib::Stream {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Head { whole, too_long, too_slow, closed };

  explicit RequestStream(int socket) : socket_(socket) {}

  // `most_pause`: until the first byte. Browsers open connections ahead of need, and each holds a thread.
  Head read_head(size_t most_bytes, Clock::duration most_time, Clock::duration most_pause);
  void close();  // after the other side has, or a moment later: else an answer may be lost on its way

  bool is_readable() const override { return position_ < head_.size(); }
  bool is_writable() const override;
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  int socket() const override { return socket_; }

 private:
  bool wait_for(short events, Clock::duration time) const;

  const int socket_;
  std::string head_;
  size_t position_ = 0;
};

}  // namespace limoe

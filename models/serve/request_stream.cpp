#ifdef LIMOE_HAVE_HTTPLIB

#include "models/serve/request_stream.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "data/lower_case.h"

namespace limoe {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kWritePause{10'000};
constexpr milliseconds kClosePause{300};
constexpr int64_t kMostIgnored = 1 << 20;  // bytes of a body nobody asked for

std::string without_ranges(const std::string& head) {
  std::string kept;
  for (size_t begin = 0; begin < head.size();) {
    const size_t end = std::min(
        head.size(), head.find('\n', begin) == std::string::npos ? head.size() : head.find('\n', begin) + 1);
    const std::string line = head.substr(begin, end - begin);
    if (!lower_case(line.substr(0, 6)).starts_with("range:")) kept += line;
    begin = end;
  }
  return kept;
}

}  // namespace

bool RequestStream::wait_for(short events, Clock::duration time) const {
  pollfd waiting{socket_, events, 0};
  const auto left = std::chrono::duration_cast<milliseconds>(time).count();
  return left > 0 && poll(&waiting, 1, int(left)) > 0;
}

RequestStream::Head RequestStream::read_head(size_t most_bytes, Clock::duration most_time,
                                             Clock::duration most_pause) {
  const Clock::time_point end = Clock::now() + most_time;
  char buffer[4096];
  while (true) {
    const Clock::duration left = head_.empty() ? std::min(most_pause, most_time) : end - Clock::now();
    if (!wait_for(POLLIN, left)) return head_.empty() ? Head::closed : Head::too_slow;
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) return head_.empty() ? Head::closed : Head::whole;  // cut short: malformed
    const size_t from = head_.size() < 3 ? 0 : head_.size() - 3;
    head_.append(buffer, size_t(count));
    const size_t blank = head_.find("\r\n\r\n", from);
    if (std::min(blank, head_.size()) > most_bytes) return Head::too_long;
    if (blank == std::string::npos) continue;
    head_ = without_ranges(head_.substr(0, blank + 4));
    return Head::whole;
  }
}

void RequestStream::close() {
  shutdown(socket_, SHUT_WR);
  const Clock::time_point end = Clock::now() + kClosePause;
  char buffer[4096];
  int64_t ignored = 0;
  while (ignored < kMostIgnored && wait_for(POLLIN, end - Clock::now())) {
    const ssize_t count = recv(socket_, buffer, sizeof buffer, 0);
    if (count <= 0) break;
    ignored += count;
  }
  ::close(socket_);
}

bool RequestStream::is_writable() const {
  return wait_for(POLLOUT, kWritePause);
}

ssize_t RequestStream::read(char* to, size_t size) {
  const size_t count = std::min(size, head_.size() - position_);
  std::copy_n(head_.data() + position_, count, to);
  position_ += count;
  return ssize_t(count);
}

ssize_t RequestStream::write(const char* from, size_t size) {
  return is_writable() ? send(socket_, from, size, MSG_NOSIGNAL) : -1;
}

// Nobody asks: every client is this machine.
void RequestStream::get_remote_ip_and_port(std::string&, int&) const {}
void RequestStream::get_local_ip_and_port(std::string&, int&) const {}

}  // namespace limoe

#endif

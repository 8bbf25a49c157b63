// The index of a tar archive: walks from header to header, reading no contents but those of long-name
// records.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

#include "data/tar.h"
#include "data/tar_header.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int64_t kMaxName = 4096;
constexpr int64_t kMaxRecord = 1 << 20;  // a pax header above 1 MiB is an attack

std::string_view until_zero(const char* field, size_t length) {
  return {field, static_cast<size_t>(std::find(field, field + length, '\0') - field)};
}

bool is_zero_block(const TarHeader& header) {
  const char* bytes = reinterpret_cast<const char*>(&header);
  return std::all_of(bytes, bytes + kTarBlock, [](char c) { return c == 0; });
}

class TarReader {
 public:
  explicit TarReader(const std::string& path) : path_(path), file_(path, std::ios::binary) {
    if (!file_ || !file_.seekg(0, std::ios::end))
      throw FileError(path, ": cannot be opened; expected a tar file");
    file_size_ = file_.tellg();
  }

  std::vector<TarMember> read() {
    std::vector<TarMember> members;
    TarHeader header;
    for (read_at(position_, &header, kTarBlock, "header"); !is_zero_block(header);
         read_at(position_, &header, kTarBlock, "header"))
      read_member(header, members);
    read_at(position_ + kTarBlock, &header, kTarBlock, "end of archive");
    if (!is_zero_block(header))
      fail("one zero block is followed by data; expected two at the end of the archive");
    return members;
  }

 private:
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(path_, ": at byte ", position_, ": ", parts...);
  }

  void read_at(int64_t offset, void* to, int64_t count, const char* what) {
    if (count > file_size_ - offset)
      fail(what, " needs ", count, " bytes, ", std::max<int64_t>(file_size_ - offset, 0),
           " are left; expected them: the archive is cut short");
    file_.seekg(offset);
    if (!file_.read(static_cast<char*>(to), count)) fail(what, " cannot be read");
  }

  void read_member(const TarHeader& header, std::vector<TarMember>& members) {
    verify_checksum(header);
    int64_t size = contents_size(header);
    int64_t contents = position_ + kTarBlock;
    if (size > file_size_ - contents)
      fail("member is ", size, " bytes, ", file_size_ - contents,
           " are left; expected them: the archive is cut short");

    switch (header.type) {
      case 'x':
        read_pax(record(contents, size));
        break;
      case 'L':
        long_name_ = until_zero_copy(record(contents, size));
        break;
      case 'S':
        fail("a sparse file; expected whole files only");
      case '0':
      case '\0':
      case '7':
        add_member(header, contents, size, members);
        break;
      default:
        forget_overrides(header.type);
        break;
    }
    position_ = contents + tar_padded(size);
  }

  void verify_checksum(const TarHeader& header) const {
    int64_t expected = 0;
    if (!parse_tar_number({header.checksum, sizeof header.checksum}, expected) ||
        expected != tar_checksum(header))
      fail("header checksum is ", expected, "; expected ", tar_checksum(header),
           " (not a tar file, or damaged)");
  }

  // Links, devices, folders and fifos have no contents, whatever their size field says.
  int64_t contents_size(const TarHeader& header) const {
    if (header.type >= '1' && header.type <= '6') return 0;
    bool real_member = std::strchr("xgLK", header.type) == nullptr || header.type == '\0';
    if (real_member && pax_size_ >= 0) return pax_size_;
    int64_t size = 0;
    if (!parse_tar_number({header.size, sizeof header.size}, size))
      fail("size field is not a number; expected one");
    return size;
  }

  std::string record(int64_t offset, int64_t size) {
    if (size > kMaxRecord) fail("extended header is ", size, " bytes; expected at most ", kMaxRecord);
    std::string text(static_cast<size_t>(size), '\0');
    read_at(offset, text.data(), size, "extended header");
    return text;
  }

  static std::string until_zero_copy(const std::string& text) {
    return std::string(until_zero(text.data(), text.size()));
  }

  // Records "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
  void read_pax(std::string_view text) {
    while (!text.empty()) {
      size_t length = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
      size_t start = static_cast<size_t>(end - text.data()) + 1;  // past the blank
      if (error != std::errc() || length > text.size() || start >= length || *end != ' ' ||
          text[length - 1] != '\n')
        fail("malformed pax record; expected LENGTH KEY=VALUE and a line end");
      std::string_view entry = text.substr(start, length - start - 1);
      size_t equals = entry.find('=');
      if (equals == std::string_view::npos)
        fail("pax record without '='; expected LENGTH KEY=VALUE and a line end");
      apply_pax(entry.substr(0, equals), entry.substr(equals + 1));
      text.remove_prefix(length);
    }
  }

  void apply_pax(std::string_view key, std::string_view value) {
    if (key.starts_with("GNU.sparse")) fail("a sparse file; expected whole files only");
    if (key == "path") long_name_ = std::string(value);
    if (key != "size") return;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), pax_size_);
    if (error != std::errc() || end != value.data() + value.size() || pax_size_ < 0 ||
        pax_size_ > kMaxTarNumber)
      fail("pax size is '", value, "'; expected a number of bytes");
  }

  void add_member(const TarHeader& header, int64_t contents, int64_t size, std::vector<TarMember>& members) {
    std::string name = long_name_.empty() ? short_name(header) : long_name_;
    if (name.empty() || static_cast<int64_t>(name.size()) > kMaxName || name.find('\0') != std::string::npos)
      fail("member name has ", name.size(), " bytes or a zero byte; expected 1 to ", kMaxName, " bytes");
    // Before ustar, a folder was a regular file whose name ends in '/'.
    if (name.back() != '/') members.push_back({std::move(name), contents, size});
    forget_overrides(header.type);
  }

  static std::string short_name(const TarHeader& header) {
    std::string name(until_zero(header.name, sizeof header.name));
    if (std::memcmp(header.magic, "ustar", 6) == 0 && header.prefix[0] != 0)  // GNU's magic is "ustar "
      name = std::string(until_zero(header.prefix, sizeof header.prefix)) + "/" + name;
    return name;
  }

  // Extended headers describe the next real member only.
  void forget_overrides(char type) {
    if (type == 'g' || type == 'K') return;
    long_name_.clear();
    pax_size_ = -1;
  }

  std::string path_;
  std::ifstream file_;
  int64_t file_size_ = 0;
  int64_t position_ = 0;
  std::string long_name_;
  int64_t pax_size_ = -1;
};

}  // namespace

std::vector<TarMember> read_tar_index(const std::string& path) {
  return TarReader(path).read();
}

std::vector<uint8_t> read_tar_member(const std::string& path, const TarMember& member) {
  std::ifstream file(path, std::ios::binary);
  std::vector<uint8_t> contents(static_cast<size_t>(member.size));
  if (!file.seekg(member.offset) ||
      !file.read(reinterpret_cast<char*>(contents.data()), static_cast<std::streamsize>(contents.size())))
    throw FileError(path, ": member ", member.name, ": cannot read ", member.size, " bytes at byte ",
                    member.offset);
  return contents;
}

}  // namespace limoe

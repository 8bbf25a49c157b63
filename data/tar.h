// Tar archives: an index of a file's members with their byte offsets, so that samples can be read in any
// order, and a writer whose output depends on names and contents only.
//
// Read: ustar (POSIX.1-1988), pax (POSIX.1-2001: `path`, `size`) and GNU long names and sizes. Only regular
// files are listed; folders, links, devices and fifos are skipped. Nothing is ever extracted to disk. Every
// header's checksum is verified and every size is held against the file. An archive must end with two zero
// blocks: without them it was cut short, and samples may be missing. All faults are a FileError "PATH: at
// byte N: ...".
//
// Written: ustar, mode 0644, owner 0, time 0.
#pragma once

#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace limoe {

struct TarMember {
  std::string name;
  int64_t offset;  // of the first byte of the contents
  int64_t size;
};

std::vector<TarMember> read_tar_index(const std::string& path);

std::vector<uint8_t> read_tar_member(const std::string& path, const TarMember& member);

class TarWriter {
 public:
  explicit TarWriter(const std::string& path);

  // ValueError for a name that ustar cannot hold: empty, or longer than 100 bytes with no '/' to split it at.
  void add(std::string_view name, std::span<const uint8_t> contents);
  void add(std::string_view name, std::string_view contents);

  // Writes the end of the archive. Without it the file is recognised as incomplete.
  void finish();

 private:
  void write(const void* bytes, size_t count);

  std::string path_;
  std::ofstream file_;
};

}  // namespace limoe

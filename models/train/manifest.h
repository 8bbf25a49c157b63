// MANIFEST.json: what a folder of files holds, so that a file that was cut short or changed is noticed before
// it is believed.
//
//   {"format": "limoe checkpoint", "version": 1, "files": {"trainer.json": {"bytes": 123, "crc32":
//   "9ae0daaf"}}}
//
// The checksum is CRC-32 as in gzip and zlib (ISO 3309): it is there for accidents, not against forgery. The
// manifest has none of its own; it is read in the one form it is written in, to the last byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

inline constexpr const char* kManifestFile = "MANIFEST.json";

// Flushes the files to the disk, and then a manifest of them. Names are relative to the folder. Throws
// FileError.
void write_manifest(const std::string& folder, const std::vector<std::string>& files);

// Throws FileError naming the file unless the folder has a manifest, with at least the `needed` files, and
// every file in it is there, whole and unchanged.
void verify_manifest(const std::string& folder, const std::vector<std::string>& needed);

}  // namespace limoe

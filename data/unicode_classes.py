"""Writes data/unicode_classes.cpp from the Unicode Character Database (Debian's unicode-data).

    python3 data/unicode_classes.py > data/unicode_classes.cpp
    clang-format -i data/unicode_classes.cpp

Run by hand. Ranges of general categories L* and N*, and the simple lower-case mappings as runs of one distance.
"""

DATABASE = "/usr/share/unicode/UnicodeData.txt"


def read():
    letters, numbers, lower = [], [], []
    first = None
    for line in open(DATABASE, encoding="ascii"):
        fields = line.rstrip("\n").split(";")
        code = int(fields[0], 16)
        if fields[1].endswith(", First>"):
            first = code
            continue
        begin, first = (first if first is not None else code), None
        for kind, ranges in (("L", letters), ("N", numbers)):
            if not fields[2].startswith(kind):
                continue
            if ranges and ranges[-1][1] == begin - 1:
                ranges[-1][1] = code
            else:
                ranges.append([begin, code])
        if fields[13]:
            lower.append((code, int(fields[13], 16) - code))
    return letters, numbers, lower


def runs(lower):
    """(first, last, step, distance): codes first, first + step, ... last are mapped to themselves + distance."""
    found = []
    for code, distance in lower:
        if found:
            begin, last, step, known = found[-1]
            gap = code - last
            if known == distance and (gap == step or (begin == last and gap in (1, 2))):
                found[-1] = (begin, code, gap, known)
                continue
        found.append((code, code, 1, distance))
    return found


def main():
    letters, numbers, lower = read()
    print("// Written by data/unicode_classes.py from Unicode 15.0.")
    print('#include "data/unicode_classes.h"\n\n#include <algorithm>\n#include <iterator>\n\nnamespace limoe {\nnamespace {\n')
    print("struct Range {\n  char32_t first, last;\n};\nstruct LowerRun {\n  char32_t first, last, step;\n  int32_t distance;\n};\n")
    for name, ranges in (("kLetters", letters), ("kNumbers", numbers)):
        print(f"constexpr Range {name}[] = {{" + ", ".join(f"{{0x{a:X}, 0x{b:X}}}" for a, b in ranges) + "};\n")
    print("constexpr LowerRun kLower[] = {" + ", ".join(f"{{0x{a:X}, 0x{b:X}, {s}, {d}}}" for a, b, s, d in runs(lower)) + "};\n")
    print("""// The entry of a sorted table that `c` lies in, or nullptr.
template <class Entry, size_t count>
const Entry* find(const Entry (&table)[count], char32_t c) {
  const Entry* after = std::upper_bound(std::begin(table), std::end(table), c,
                                        [](char32_t value, const Entry& entry) { return value < entry.first; });
  return after != std::begin(table) && c <= (after - 1)->last ? after - 1 : nullptr;
}

}  // namespace

bool is_letter(char32_t c) {
  return find(kLetters, c) != nullptr;
}

bool is_number(char32_t c) {
  return find(kNumbers, c) != nullptr;
}

char32_t to_lower(char32_t c) {
  const LowerRun* run = find(kLower, c);
  if (run == nullptr || (c - run->first) % run->step != 0) return c;
  return static_cast<char32_t>(static_cast<int32_t>(c) + run->distance);
}

bool is_cased(char32_t c) {
  if (to_lower(c) != c) return true;
  return std::any_of(std::begin(kLower), std::end(kLower), [c](const LowerRun& run) {
    const char32_t capital = static_cast<char32_t>(static_cast<int32_t>(c) - run.distance);
    return capital >= run.first && capital <= run.last && (capital - run.first) % run.step == 0;
  });
}

}  // namespace limoe""")


if __name__ == "__main__":
    main()

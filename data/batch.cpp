#include "data/batch.h"

namespace limoe {

StageTimes& StageTimes::operator+=(const StageTimes& other) {
  read += other.read;
  decode += other.decode;
  resize += other.resize;
  augment += other.augment;
  tokenize += other.tokenize;
  samples += other.samples;
  return *this;
}

StageTimes StageTimes::operator-(const StageTimes& earlier) const {
  return {read - earlier.read,       decode - earlier.decode,     resize - earlier.resize,
          augment - earlier.augment, tokenize - earlier.tokenize, samples - earlier.samples};
}

}  // namespace limoe

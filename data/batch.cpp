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

}  // namespace limoe

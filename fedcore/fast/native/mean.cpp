// The weighted mean of many vectors, neighbours averaged pair by pair until one is left.
//
// One vector after another, a mean reads and writes its own memory as often as it reads theirs. Here
// sixteen vectors are read side by side, and what comes of their pairs stays in registers, so that
// nearly all traffic is the reading. A pair is averaged by the formula of torch.lerp, in the same
// order, with the same rounding.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

namespace {

#define RH_INLINE inline __attribute__((always_inline))

constexpr int kLanes = 16;
constexpr int kGroup = 16;          // vectors side by side
constexpr int64_t kBlock = 2048;    // numbers of each before the next sixteen
typedef float Vec __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

// What the second of a pair has of the weight of both, made ready: x + c (y - x), or y + c (y - x)
// where that is closer.
struct Share {
  float factor;
  bool from_second;
};

RH_INLINE Vec average(const Vec& x, const Vec& y, const Share& share) {
  const Vec base = share.from_second ? y : x;
  const Vec difference = y - x;
  Vec result;
  for (int i = 0; i < kLanes; ++i) {
    result[i] = __builtin_fmaf(share.factor, difference[i], base[i]);
  }
  return result;
}

// Averages M vectors held in registers; `levels` are the shares of this group, level by level.
template <int M>
RH_INLINE Vec reduce(Vec* v, const Share* const* levels) {
  if constexpr (M == 1) {
    return v[0];
  } else {
    for (int p = 0; p < M / 2; ++p) v[p] = average(v[2 * p], v[2 * p + 1], levels[0][p]);
    if constexpr (M % 2 == 1) v[M / 2] = v[M - 1];
    return reduce<(M + 1) / 2>(v, levels + 1);
  }
}

template <int M>
void group(const float* const* in, const Share* const* levels, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    Vec v[M];
    for (int k = 0; k < M; ++k) std::memcpy(&v[k], in[k] + i, sizeof(Vec));
    const Vec mean = reduce<M>(v, levels);
    std::memcpy(out + i, &mean, sizeof(Vec));
  }
}

using Group = void (*)(const float* const*, const Share* const*, int64_t, float*);

template <int... M>
constexpr void fill(Group* table, std::integer_sequence<int, M...>) {
  ((table[M] = group<M + 1>), ...);
}

struct Table {
  Group of[kGroup];
  constexpr Table() : of() { fill(of, std::make_integer_sequence<int, kGroup>{}); }
};
constexpr Table kTable;

constexpr int kMaxLevels = 32;
constexpr int64_t kMaxVectors = 4096;
constexpr int64_t kMaxRows = kMaxVectors / kGroup;

}  // namespace

extern "C" {

// Most vectors that can be averaged at once.
int64_t rh_mean_limit() { return kMaxVectors; }

// Floats that `scratch` must have for one thread.
int64_t rh_mean_scratch(int64_t vectors) {
  return 2 * ((vectors + kGroup - 1) / kGroup) * kBlock;
}

// Averages numbers `begin` to `end`, a multiple of 16 apart, of each vector into `out`. `shares`
// holds those of the first level, then those of the second, and so on.
void rh_mean_in_tree(const float* const* vectors, int64_t count, const float* shares, int64_t begin,
                     int64_t end, float* out, float* scratch) {
  Share ready[kMaxVectors];
  const Share* levels[kMaxLevels + 4];
  int depth = 0;
  int64_t made = 0;
  for (int64_t left = count; left > 1; left = (left + 1) / 2) {
    levels[depth++] = ready + made;
    for (int64_t p = 0; p < left / 2; ++p, ++made) {
      const float share = shares[made];
      const bool is_small = std::fabs(share) < 0.5f;
      ready[made] = {is_small ? share : share - 1, !is_small};
    }
  }
  for (int k = 0; k < 4; ++k) levels[depth + k] = ready;  // read by nobody
  const float* rows[kMaxVectors];
  const Share* mine[4];
  for (int64_t at = begin; at < end; at += kBlock) {
    const int64_t size = end - at < kBlock ? end - at : kBlock;
    int64_t left = count;
    for (int64_t k = 0; k < count; ++k) rows[k] = vectors[k] + at;
    for (int level = 0; left > 1; level += 4) {
      const int64_t groups = (left + kGroup - 1) / kGroup;
      float* to = scratch + (level / 4 % 2) * ((count + kGroup - 1) / kGroup) * kBlock;
      for (int64_t g = 0; g < groups; ++g) {
        const int64_t members = left - g * kGroup < kGroup ? left - g * kGroup : kGroup;
        for (int k = 0; k < 4; ++k) mine[k] = levels[level + k] + g * (kGroup >> (k + 1));
        float* row = groups == 1 ? out + at : to + g * kBlock;
        kTable.of[members - 1](rows + g * kGroup, mine, size, row);
        rows[g] = row;
      }
      left = groups;
    }
  }
}

}  // extern "C"

// Vectors of the processor's width, and loops over small constants that become registers.

#pragma once

#include <cstdint>
#include <utility>

namespace {

#define RH_INLINE inline __attribute__((always_inline))
#define RH_LAMBDA __attribute__((always_inline))

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kBatch = 5;    // examples x outputs in the forward loop
constexpr int kOutputs = 5;
constexpr int kBackBatch = 6;  // examples x vectors in the backward loop
constexpr int kBackVectors = 4;
constexpr int kRows = 5;     // rows x vectors of weights in the update loop
constexpr int kVectors = 5;
#elif defined(__AVX__)
constexpr int kLanes = 8;
constexpr int kBatch = 3;
constexpr int kOutputs = 3;
constexpr int kBackBatch = 3;
constexpr int kBackVectors = 3;
constexpr int kRows = 3;
constexpr int kVectors = 3;
#else
constexpr int kLanes = 4;
constexpr int kBatch = 3;
constexpr int kOutputs = 3;
constexpr int kBackBatch = 3;
constexpr int kBackVectors = 3;
constexpr int kRows = 3;
constexpr int kVectors = 3;
#endif
constexpr int64_t kLine = 16;  // floats in a cache line, and a multiple of kLanes

typedef float Vec __attribute__((vector_size(kLanes * 4), may_alias));
typedef float Vec8 __attribute__((vector_size(32)));
typedef float Vec4 __attribute__((vector_size(16)));

RH_INLINE Vec load(const float* p) { return *reinterpret_cast<const Vec*>(p); }
RH_INLINE void store(float* p, Vec v) { *reinterpret_cast<Vec*>(p) = v; }

// Calls f(0), f(1), ... with constants, so that small arrays become registers.
template <int... I, class F>
RH_INLINE void each(std::integer_sequence<int, I...>, F f) {
  (f(std::integral_constant<int, I>{}), ...);
}
template <int N, class F>
RH_INLINE void each(F f) {
  each(std::make_integer_sequence<int, N>{}, f);
}

// Calls f with the constant that equals `count`, which lies between 1 and N.
template <int N, class F>
RH_INLINE void with_constant(int64_t count, F f) {
  if constexpr (N == 1) {
    f(std::integral_constant<int, 1>{});
  } else if (count == N) {
    f(std::integral_constant<int, N>{});
  } else {
    with_constant<N - 1>(count, f);
  }
}

// Cuts `total` into as few parts of at most N as possible, of nearly equal size.
template <int N, class F>
RH_INLINE void in_parts(int64_t total, F f) {
  const int64_t parts = (total + N - 1) / N;
  for (int64_t part = 0, begin = 0; part < parts; ++part) {
    const int64_t count = total / parts + (part < total % parts ? 1 : 0);
    with_constant<N>(count, [&](auto n) RH_LAMBDA { f(begin, n); });
    begin += count;
  }
}

RH_INLINE float sum(Vec4 v) { return (v[0] + v[1]) + (v[2] + v[3]); }
#if defined(__AVX__)
RH_INLINE float sum(Vec8 v) {
  return sum(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7));
}
#endif
#if defined(__AVX512F__)
RH_INLINE float sum(Vec v) {
  return sum(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) +
             __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15));
}
#endif

int64_t padded(int64_t count) { return (count + kLine - 1) / kLine * kLine; }

}  // namespace

// A first layer whose inputs mostly have their usual value: background pixels, columns of one-hot
// categories, words that do not occur. With c the usual inputs and x = c + d, most of d is zero, and
//
//   w x + b   =  s d + (s c + r (c c + c d) + b)      where  w = s + r c
//   w -= g x  :  s -= g d,   r -= g
//
// so that only what is unusual in an example costs time, and what all inputs have in common is one
// number for each output. It is the same function and the same step, rounded in another order.
//
// Weights lie (inputs, outputs) here, so that one input's are next to each other.

#pragma once

#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "dense.h"

namespace {

constexpr int kWide = 7;               // vectors of outputs that are worked on together
constexpr int64_t kStrip = 6144;       // floats of weights that stay in the first cache meanwhile

// What is unusual in the examples of a batch; all memory is the caller's.
struct Unusual {
  const float* usual;  // c
  float usual_squared;  // c c
  int64_t inputs, step;
  float* value;    // d where it is not zero, batch x step
  int32_t* at;     // which inputs, rising, batch x step
  int32_t* count;  // how many
  int32_t* next;   // the first of those that were not used yet
  float* along;    // c d
};

void find_unusual(const Unusual& u, int64_t b, const float* x) {
  float* value = u.value + b * u.step;
  int32_t* at = u.at + b * u.step;
  int32_t count = 0;
  float along = 0;
#if defined(__AVX512F__)
  Vec sum_along = {};
  const __m512i ahead = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  for (int64_t i = 0; i < u.inputs; i += 16) {
    const int64_t left = u.inputs - i;
    const __mmask16 there = left >= 16 ? 0xffff : static_cast<__mmask16>((1 << left) - 1);
    const __m512 c = _mm512_maskz_loadu_ps(there, u.usual + i);
    const __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(there, x + i), c);
    const __mmask16 found = _mm512_cmp_ps_mask(d, _mm512_setzero_ps(), _CMP_NEQ_UQ);
    const __m512i place = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int32_t>(i)), ahead);
    _mm512_storeu_ps(value + count, _mm512_maskz_compress_ps(found, d));
    _mm512_storeu_si512(at + count, _mm512_maskz_compress_epi32(found, place));
    sum_along += (Vec)(d) * (Vec)(c);
    count += __builtin_popcount(found);
  }
  along = sum(sum_along);
#else
  for (int64_t i = 0; i < u.inputs; ++i) {
    const float d = x[i] - u.usual[i];
    value[count] = d;
    at[count] = static_cast<int32_t>(i);
    count += d != 0;
    along += d * u.usual[i];
  }
#endif
  u.count[b] = count;
  u.along[b] = along;
}

// Calls f(example, first input of the strip's end) strip by strip, for all vectors of outputs.
template <class F>
RH_INLINE void in_strips(const Unusual& u, int64_t step, int64_t batch, F f) {
  in_parts<kWide>(step / kLanes, [&](int64_t v0, auto v) RH_LAMBDA {
    constexpr int64_t rows = kStrip / (v * kLanes);
    for (int64_t b = 0; b < batch; ++b) u.next[b] = 0;
    for (int64_t end = rows; end < u.inputs + rows; end += rows) {
      for (int64_t b = 0; b < batch; ++b) f(b, v0, v, end);
    }
  });
}

void forward_unusual(const Layer& l, const Unusual& u, int64_t batch, bool is_rectified) {
  const int64_t step = padded(l.outputs);
  for (int64_t b = 0; b < batch; ++b) {
    const float common = u.usual_squared + u.along[b];
    for (int64_t o = 0; o < step; o += kLanes) {
      store(l.out + b * step + o,
            load(l.bias + o) + load(l.weight_usual + o) + common * load(l.moved_usual + o));
    }
  }
  in_strips(u, step, batch, [&](int64_t b, int64_t v0, auto v, int64_t end) RH_LAMBDA {
    constexpr int V = v;
    const float* value = u.value + b * u.step;
    const int32_t* at = u.at + b * u.step;
    float* out = l.out + b * step + v0 * kLanes;
    int32_t k = u.next[b];
    const int32_t count = u.count[b];
    if (k == count || at[k] >= end) return;
    Vec acc[V];
    each<V>([&](auto j) RH_LAMBDA { acc[j] = load(out + j * kLanes); });
    do {
      const float* w = l.weight + at[k] * step + v0 * kLanes;
      const float d = value[k];
      each<V>([&](auto j) RH_LAMBDA { acc[j] += d * load(w + j * kLanes); });
      ++k;
    } while (k < count && at[k] < end);
    each<V>([&](auto j) RH_LAMBDA { store(out + j * kLanes, acc[j]); });
    u.next[b] = k;
  });
  if (!is_rectified) return;
  for (int64_t at = 0; at < batch * step; at += kLanes) {
    const Vec out = load(l.out + at);
    store(l.out + at, 0 > out ? Vec{} : out);
  }
}

// Moves the weights along the gradient, which is used up; plain SGD without decay.
void update_unusual(const Layer& l, const Unusual& u, int64_t batch, float lr) {
  const int64_t step = padded(l.outputs);
  for (int64_t o = 0; o < step; o += kLanes) {
    Vec all = {}, along = {};
    for (int64_t b = 0; b < batch; ++b) {
      const Vec g = -lr * load(l.grad + b * step + o);
      store(l.grad + b * step + o, g);
      all += g;
      along += u.along[b] * g;
    }
    store(l.bias + o, load(l.bias + o) + all);
    store(l.moved_usual + o, load(l.moved_usual + o) + all);
    store(l.weight_usual + o, load(l.weight_usual + o) + along);
  }
  in_strips(u, step, batch, [&](int64_t b, int64_t v0, auto v, int64_t end) RH_LAMBDA {
    constexpr int V = v;
    const float* value = u.value + b * u.step;
    const int32_t* at = u.at + b * u.step;
    int32_t k = u.next[b];
    const int32_t count = u.count[b];
    Vec g[V];
    each<V>([&](auto j) RH_LAMBDA { g[j] = load(l.grad + b * step + (v0 + j) * kLanes); });
    for (; k < count && at[k] < end; ++k) {
      float* w = l.weight + at[k] * step + v0 * kLanes;
      const float d = value[k];
      each<V>([&](auto j) RH_LAMBDA {
        store(w + j * kLanes, load(w + j * kLanes) + d * g[j]);
      });
    }
    u.next[b] = k;
  });
}

typedef float Loose4 __attribute__((vector_size(16), aligned(4), may_alias));

// Writes a matrix with rows and columns exchanged.
void transpose(const float* from, int64_t from_step, int64_t rows, int64_t columns, float* to,
               int64_t to_step) {
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t c = 0; c < whole_columns; c += 4) {
    for (int64_t r = 0; r < whole_rows; r += 4) {
      Loose4 v[4], w[4];
      each<4>([&](auto k) RH_LAMBDA { std::memcpy(&v[k], from + (r + k) * from_step + c, 16); });
      w[0] = __builtin_shufflevector(v[0], v[1], 0, 4, 1, 5);
      w[1] = __builtin_shufflevector(v[0], v[1], 2, 6, 3, 7);
      w[2] = __builtin_shufflevector(v[2], v[3], 0, 4, 1, 5);
      w[3] = __builtin_shufflevector(v[2], v[3], 2, 6, 3, 7);
      v[0] = __builtin_shufflevector(w[0], w[2], 0, 1, 4, 5);
      v[1] = __builtin_shufflevector(w[0], w[2], 2, 3, 6, 7);
      v[2] = __builtin_shufflevector(w[1], w[3], 0, 1, 4, 5);
      v[3] = __builtin_shufflevector(w[1], w[3], 2, 3, 6, 7);
      each<4>([&](auto k) RH_LAMBDA { std::memcpy(to + (c + k) * to_step + r, &v[k], 16); });
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
      to[c * to_step + r] = from[r * from_step + c];
    }
  }
}

// Takes the weights (outputs, inputs) of a layer.
void begin_unusual(const Layer& l, const Unusual& u, const float* weights) {
  const int64_t step = padded(l.outputs);
  transpose(weights, l.inputs, l.outputs, l.inputs, l.weight, step);
  std::memset(l.moved_usual, 0, step * sizeof(float));
  std::memset(l.weight_usual, 0, step * sizeof(float));
  for (int64_t i = 0; i < l.inputs; ++i) {
    const float c = u.usual[i];
    for (int64_t o = 0; o < step; o += kLanes) {
      store(l.weight_usual + o, load(l.weight_usual + o) + c * load(l.weight + i * step + o));
    }
  }
}

// Writes the weights (outputs, inputs) of a layer, which has to begin again before its next step.
void end_unusual(const Layer& l, const Unusual& u, float* weights) {
  const int64_t step = padded(l.outputs);
  for (int64_t i = 0; i < l.inputs; ++i) {
    const float c = u.usual[i];
    for (int64_t o = 0; o < step; o += kLanes) {
      float* w = l.weight + i * step + o;
      store(w, load(w) + c * load(l.moved_usual + o));
    }
  }
  transpose(l.weight, step, l.inputs, l.outputs, weights, l.inputs);
}

}  // namespace

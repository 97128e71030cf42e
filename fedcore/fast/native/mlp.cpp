// Plain SGD on fully connected layers with ReLU between them: a client's steps in one call.
//
// At batches of 10 or 32 a general matrix library loses half of the processor to small sizes, and a
// framework loses as much again between the calls. Here every loop keeps a small block of
// accumulators in registers, all of them along the inputs of a layer:
//
//   forward   out[b][o]  = bias[o] + sum_i in[b][i] w[o][i]     then a sum across the lanes
//   backward  din[b][i]  = sum_o dout[b][o] w[o][i]
//   update    w[o][i]   -= lr * sum_b dout[b][o] in[b][i]       straight into the weights
//
// Weights keep torch's order, (outputs, inputs), but each row starts at a multiple of the cache
// line and is filled up with zeros, so that no loop has a remainder. The caller owns all memory:
// `work` holds weights, momentum and activations between the calls for one client, and belongs to
// one thread. The same input gives the same bits.

#include <cmath>
#include <cstdint>
#include <cstring>
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

// A layer's memory inside `work`; `step` is the distance between rows, in floats.
struct Layer {
  int64_t inputs, outputs, step;
  float *weight, *bias, *weight_velocity, *bias_velocity;
  float *out, *grad;  // activations and their gradient, batch x padded(outputs)
};

struct Settings {
  float lr, momentum, decay;
};

template <bool kRelu, int B, int O>
RH_INLINE void forward_block(const float* in, const Layer& l, int64_t o0, float* out,
                             int64_t out_step) {
  Vec acc[B * O] = {};
  const float* w = l.weight + o0 * l.step;
  for (int64_t i = 0; i < l.step; i += kLanes) {
    Vec weights[O];
    each<O>([&](auto o) RH_LAMBDA { weights[o] = load(w + o * l.step + i); });
    each<B>([&](auto b) RH_LAMBDA {
      const Vec x = load(in + b * l.step + i);
      each<O>([&](auto o) RH_LAMBDA { acc[b * O + o] += x * weights[o]; });
    });
  }
  each<B>([&](auto b) RH_LAMBDA {
    each<O>([&](auto o) RH_LAMBDA {
      const float value = sum(acc[b * O + o]) + l.bias[o0 + o];
      // One instruction, not a branch that nobody can predict; NaN stays NaN.
      out[b * out_step + o0 + o] = kRelu && 0 > value ? 0 : value;
    });
  });
}

template <bool kRelu>
void forward(const Layer& l, const float* in, int64_t batch) {
  const int64_t out_step = padded(l.outputs);
  in_parts<kOutputs>(l.outputs, [&](int64_t o0, auto o) RH_LAMBDA {
    in_parts<kBatch>(batch, [&](int64_t b0, auto b) RH_LAMBDA {
      forward_block<kRelu, b, o>(in + b0 * l.step, l, o0, l.out + b0 * out_step, out_step);
    });
  });
}

// Gradient with respect to a layer's inputs, where the ReLU before it let something through.
void backward(const Layer& l, const float* in, float* in_grad, int64_t batch) {
  const int64_t out_step = padded(l.outputs);
  in_parts<kBackBatch>(batch, [&](int64_t b0, auto b) RH_LAMBDA {
    constexpr int B = b;
    in_parts<kBackVectors>(l.step / kLanes, [&](int64_t v0, auto v) RH_LAMBDA {
      constexpr int V = v;
      Vec acc[B * V] = {};
      const float* grad = l.grad + b0 * out_step;
      const float* w = l.weight + v0 * kLanes;
      for (int64_t o = 0; o < l.outputs; ++o, w += l.step) {
        Vec weights[V];
        each<V>([&](auto k) RH_LAMBDA { weights[k] = load(w + k * kLanes); });
        each<B>([&](auto i) RH_LAMBDA {
          const float g = grad[i * out_step + o];
          each<V>([&](auto k) RH_LAMBDA { acc[i * V + k] += g * weights[k]; });
        });
      }
      each<B>([&](auto i) RH_LAMBDA {
        each<V>([&](auto k) RH_LAMBDA {
          const int64_t at = (b0 + i) * l.step + (v0 + k) * kLanes;
          store(in_grad + at, load(in + at) > 0 ? acc[i * V + k] : Vec{});
        });
      });
    });
  });
}

// Moves the weights along the gradient, which is used up.
template <bool kMomentum>
void update(const Layer& l, const float* in, int64_t batch, const Settings& s) {
  const int64_t out_step = padded(l.outputs);
  const float keep = 1 - s.lr * s.decay;
  for (int64_t o = 0; o < l.outputs; ++o) {
    float g = s.decay * l.bias[o];
    for (int64_t b = 0; b < batch; ++b) g += l.grad[b * out_step + o];
    if constexpr (kMomentum) g = l.bias_velocity[o] = s.momentum * l.bias_velocity[o] + g;
    l.bias[o] -= s.lr * g;
  }
  if constexpr (!kMomentum) {  // once here, not for every block of weights
    for (int64_t at = 0; at < batch * out_step; ++at) l.grad[at] *= -s.lr;
  }
  in_parts<kVectors>(l.step / kLanes, [&](int64_t v0, auto v) RH_LAMBDA {
    constexpr int V = v;
    in_parts<kRows>(l.outputs, [&](int64_t o0, auto rows) RH_LAMBDA {
      constexpr int R = rows;
      float* w = l.weight + o0 * l.step + v0 * kLanes;
      float* u = kMomentum ? l.weight_velocity + o0 * l.step + v0 * kLanes : nullptr;
      Vec acc[R * V];
      each<R>([&](auto r) RH_LAMBDA {
        each<V>([&](auto k) RH_LAMBDA {
          const int64_t at = r * l.step + k * kLanes;
          acc[r * V + k] =
              kMomentum ? s.momentum * load(u + at) + s.decay * load(w + at) : keep * load(w + at);
          __builtin_prefetch(w + kRows * l.step + at, 1);
        });
      });
      const float* x = in + v0 * kLanes;
      const float* g = l.grad + o0;
      for (int64_t b = 0; b < batch; ++b, x += l.step, g += out_step) {
        Vec inputs[V];
        each<V>([&](auto k) RH_LAMBDA { inputs[k] = load(x + k * kLanes); });
        each<R>([&](auto r) RH_LAMBDA {
          each<V>([&](auto k) RH_LAMBDA { acc[r * V + k] += g[r] * inputs[k]; });
        });
      }
      each<R>([&](auto r) RH_LAMBDA {
        each<V>([&](auto k) RH_LAMBDA {
          const int64_t at = r * l.step + k * kLanes;
          if constexpr (kMomentum) {
            store(u + at, acc[r * V + k]);
            store(w + at, load(w + at) - s.lr * acc[r * V + k]);
          } else {
            store(w + at, acc[r * V + k]);
          }
        });
      });
    });
  });
}

// Cross-entropy of a batch: returns the sum of losses, leaves the gradient of their mean.
double cross_entropy(const Layer& l, const int64_t* y, const int64_t* rows, int64_t batch) {
  const int64_t step = padded(l.outputs);
  const float share = 1 / static_cast<float>(batch);
  double total = 0;
  for (int64_t b = 0; b < batch; ++b) {
    const float* logits = l.out + b * step;
    float* grad = l.grad + b * step;
    float largest = logits[0];
    for (int64_t o = 1; o < l.outputs; ++o) largest = logits[o] > largest ? logits[o] : largest;
    float norm = 0;
    for (int64_t o = 0; o < l.outputs; ++o) norm += grad[o] = std::exp(logits[o] - largest);
    const int64_t label = y[rows[b]];
    total += std::log(norm) + largest - logits[label];
    for (int64_t o = 0; o < l.outputs; ++o) grad[o] *= share / norm;
    grad[label] -= share;
  }
  return total;
}

constexpr int kMaxLayers = 64;

struct Network {
  int64_t count;
  Layer layers[kMaxLayers];
  float* in;  // batch x padded(inputs of the first layer)
  int64_t size;

  // Lays the network out in `work`; with nullptr only `size` is of use.
  Network(const int64_t* widths, int64_t layers_count, int64_t batch, bool momentum, float* work)
      : count(layers_count), size(0) {
    auto take = [&](int64_t floats) {
      float* p = work == nullptr ? nullptr : work + size;
      size += padded(floats);
      return p;
    };
    for (int64_t k = 0; k < count; ++k) {
      Layer& l = layers[k];
      l.inputs = widths[k];
      l.outputs = widths[k + 1];
      l.step = padded(l.inputs);
      l.weight = take(l.outputs * l.step);
      l.bias = take(l.outputs);
    }
    for (int64_t k = 0; k < count; ++k) {
      Layer& l = layers[k];
      l.weight_velocity = momentum ? take(l.outputs * l.step) : nullptr;
      l.bias_velocity = momentum ? take(l.outputs) : nullptr;
    }
    in = take(batch * layers[0].step);
    for (int64_t k = 0; k < count; ++k) {
      Layer& l = layers[k];
      l.out = take(batch * padded(l.outputs));
      l.grad = take(batch * padded(l.outputs));
    }
  }

  const float* input_of(int64_t k) const { return k == 0 ? in : layers[k - 1].out; }
};

}  // namespace

extern "C" {

// Floats that `work` must have.
int64_t rh_mlp_work_size(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum) {
  if (layers > kMaxLayers) return -1;
  return Network(widths, layers, batch, momentum != 0, nullptr).size;
}

// Copies weights, all of a model's in torch's order, into `work`, which holds zeros elsewhere.
void rh_mlp_begin(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                  const float* weights, float* work) {
  const Network net(widths, layers, batch, momentum != 0, work);
  for (int64_t k = 0; k < net.count; ++k) {
    const Layer& l = net.layers[k];
    for (int64_t o = 0; o < l.outputs; ++o, weights += l.inputs) {
      std::memcpy(l.weight + o * l.step, weights, l.inputs * sizeof(float));
    }
    std::memcpy(l.bias, weights, l.outputs * sizeof(float));
    weights += l.outputs;
    if (momentum != 0) {
      std::memset(l.weight_velocity, 0, l.outputs * l.step * sizeof(float));
      std::memset(l.bias_velocity, 0, l.outputs * sizeof(float));
    }
  }
}

// Takes `steps` steps over x[rows[0]], x[rows[1]], ...; batches hold `batch` rows, the last what is
// left of `num_rows`. Returns how many steps were taken; fewer if `stop` became true.
int64_t rh_mlp_train(const int64_t* widths, int64_t layers, int64_t batch, const float* x,
                     const int64_t* y, const int64_t* rows, int64_t num_rows, float lr,
                     float momentum, float decay, int32_t (*stop)(), double* loss_sum,
                     float* work) {
  const Network net(widths, layers, batch, momentum != 0, work);
  const Settings settings{lr, momentum, decay};
  const Layer& last = net.layers[net.count - 1];
  int64_t taken = 0;
  for (int64_t begin = 0; begin < num_rows; begin += batch, ++taken) {
    if (stop != nullptr && stop() != 0) return taken;
    const int64_t size = num_rows - begin < batch ? num_rows - begin : batch;
    for (int64_t b = 0; b < size; ++b) {
      std::memcpy(net.in + b * net.layers[0].step, x + rows[begin + b] * widths[0],
                  widths[0] * sizeof(float));
    }
    for (int64_t k = 0; k + 1 < net.count; ++k) {
      forward<true>(net.layers[k], net.input_of(k), size);
    }
    forward<false>(last, net.input_of(net.count - 1), size);
    *loss_sum += cross_entropy(last, y, rows + begin, size);
    for (int64_t k = net.count - 1; k >= 0; --k) {
      if (k > 0) backward(net.layers[k], net.input_of(k), net.layers[k - 1].grad, size);
      if (momentum != 0) {
        update<true>(net.layers[k], net.input_of(k), size, settings);
      } else {
        update<false>(net.layers[k], net.input_of(k), size, settings);
      }
    }
  }
  return taken;
}

// Writes the weights in `work` to `weights`, in torch's order.
void rh_mlp_end(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                const float* work, float* weights) {
  const Network net(widths, layers, batch, momentum != 0, const_cast<float*>(work));
  for (int64_t k = 0; k < net.count; ++k) {
    const Layer& l = net.layers[k];
    for (int64_t o = 0; o < l.outputs; ++o, weights += l.inputs) {
      std::memcpy(weights, l.weight + o * l.step, l.inputs * sizeof(float));
    }
    std::memcpy(weights, l.bias, l.outputs * sizeof(float));
    weights += l.outputs;
  }
}

}  // extern "C"

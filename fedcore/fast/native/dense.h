// One fully connected layer: forward, backward and update, all along the inputs of the layer.

#pragma once

#include "lanes.h"

namespace {

// A layer's memory inside `work`; `step` is the distance between rows, in floats.
struct Layer {
  int64_t inputs, outputs, step;
  float *weight, *bias, *weight_velocity, *bias_velocity;
  float *out, *grad;  // activations and their gradient, batch x padded(outputs)
  float *weight_usual, *moved_usual;  // s c and r of a first layer whose inputs have usual values
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

}  // namespace

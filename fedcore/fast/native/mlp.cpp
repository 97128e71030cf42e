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

#include "dense.h"
#include "usual.h"

namespace {

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
  Unusual unusual;
  int64_t size;

  // Lays the network out in `work`; with nullptr only `size` is of use. With `usual` inputs, one
  // number for each, only what differs from them is worked on; there is no momentum then.
  Network(const int64_t* widths, int64_t layers_count, int64_t batch, bool momentum,
          const float* usual, float* work)
      : count(layers_count), in(nullptr), unusual{}, size(0) {
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
      const bool is_turned = k == 0 && usual != nullptr;
      l.weight = take(is_turned ? l.inputs * padded(l.outputs) : l.outputs * l.step);
      l.bias = take(l.outputs);
    }
    for (int64_t k = 0; k < count; ++k) {
      Layer& l = layers[k];
      l.weight_velocity = momentum ? take(l.outputs * l.step) : nullptr;
      l.bias_velocity = momentum ? take(l.outputs) : nullptr;
    }
    if (usual != nullptr) {
      layers[0].weight_usual = take(layers[0].outputs);
      layers[0].moved_usual = take(layers[0].outputs);
      take_unusual(usual, batch, take);
    } else {
      in = take(batch * layers[0].step);
    }
    for (int64_t k = 0; k < count; ++k) {
      Layer& l = layers[k];
      l.out = take(batch * padded(l.outputs));
      l.grad = take(batch * padded(l.outputs));
    }
  }

  const float* input_of(int64_t k) const { return k == 0 ? in : layers[k - 1].out; }

  bool is_unusual(int64_t k) const { return k == 0 && unusual.usual != nullptr; }

  // Takes an example of a batch.
  void read(int64_t b, const float* x) const {
    if (is_unusual(0)) {
      find_unusual(unusual, b, x);
    } else {
      std::memcpy(in + b * layers[0].step, x, layers[0].inputs * sizeof(float));
    }
  }

  // Computes all activations of the examples that were read.
  void forward_all(int64_t size) const {
    for (int64_t k = 0; k < count; ++k) {
      const bool is_last = k + 1 == count;
      if (is_unusual(k)) {
        forward_unusual(layers[k], unusual, size, !is_last);
      } else if (is_last) {
        forward<false>(layers[k], input_of(k), size);
      } else {
        forward<true>(layers[k], input_of(k), size);
      }
    }
  }

 private:
  template <class Take>
  void take_unusual(const float* usual, int64_t batch, Take take) {
    Unusual& u = unusual;
    u.usual = usual;
    u.inputs = layers[0].inputs;
    u.step = layers[0].step + kLine;  // a whole vector may be written after the last
    u.value = take(batch * u.step);
    u.at = reinterpret_cast<int32_t*>(take(batch * u.step));
    u.count = reinterpret_cast<int32_t*>(take(batch));
    u.next = reinterpret_cast<int32_t*>(take(batch));
    u.along = take(batch);
    for (int64_t i = 0; i < u.inputs; ++i) u.usual_squared += usual[i] * usual[i];
  }
};

}  // namespace

extern "C" {

// Floats that `work` must have.
int64_t rh_mlp_work_size(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                         const float* usual) {
  if (layers > kMaxLayers) return -1;
  return Network(widths, layers, batch, momentum != 0, usual, nullptr).size;
}

// Copies weights, all of a model's in torch's order, into `work`, which holds zeros elsewhere.
void rh_mlp_begin(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                  const float* usual, const float* weights, float* work) {
  const Network net(widths, layers, batch, momentum != 0, usual, work);
  for (int64_t k = 0; k < net.count; ++k) {
    const Layer& l = net.layers[k];
    if (net.is_unusual(k)) {
      begin_unusual(l, net.unusual, weights);
    } else {
      for (int64_t o = 0; o < l.outputs; ++o) {
        std::memcpy(l.weight + o * l.step, weights + o * l.inputs, l.inputs * sizeof(float));
      }
    }
    weights += l.outputs * l.inputs;
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
int64_t rh_mlp_train(const int64_t* widths, int64_t layers, int64_t batch, int64_t has_momentum,
                     const float* usual, const float* x, const int64_t* y, const int64_t* rows, int64_t num_rows, float lr,
                     float momentum, float decay, int32_t (*stop)(), double* loss_sum,
                     float* work) {
  const Network net(widths, layers, batch, has_momentum != 0, usual, work);
  const Settings settings{lr, momentum, decay};
  const Layer& last = net.layers[net.count - 1];
  int64_t taken = 0;
  for (int64_t begin = 0; begin < num_rows; begin += batch, ++taken) {
    if (stop != nullptr && stop() != 0) return taken;
    const int64_t size = num_rows - begin < batch ? num_rows - begin : batch;
    for (int64_t b = 0; b < size; ++b) net.read(b, x + rows[begin + b] * widths[0]);
    net.forward_all(size);
    *loss_sum += cross_entropy(last, y, rows + begin, size);
    for (int64_t k = net.count - 1; k >= 0; --k) {
      if (k > 0) backward(net.layers[k], net.input_of(k), net.layers[k - 1].grad, size);
      if (net.is_unusual(k)) {
        update_unusual(net.layers[k], net.unusual, size, lr);
      } else if (has_momentum != 0) {
        update<true>(net.layers[k], net.input_of(k), size, settings);
      } else {
        update<false>(net.layers[k], net.input_of(k), size, settings);
      }
    }
  }
  return taken;
}

// Writes what the network makes of x[0], x[1], ... to `outputs`, (count, width of the last layer).
void rh_mlp_outputs(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                    const float* usual, const float* x, int64_t count, float* outputs,
                    float* work) {
  const Network net(widths, layers, batch, momentum != 0, usual, work);
  const Layer& last = net.layers[net.count - 1];
  for (int64_t begin = 0; begin < count; begin += batch) {
    const int64_t size = count - begin < batch ? count - begin : batch;
    for (int64_t b = 0; b < size; ++b) net.read(b, x + (begin + b) * widths[0]);
    net.forward_all(size);
    for (int64_t b = 0; b < size; ++b, outputs += last.outputs) {
      std::memcpy(outputs, last.out + b * padded(last.outputs), last.outputs * sizeof(float));
    }
  }
}

// Writes the weights in `work` to `weights`, in torch's order; `rh_mlp_begin` comes next.
void rh_mlp_end(const int64_t* widths, int64_t layers, int64_t batch, int64_t momentum,
                const float* usual, float* work, float* weights) {
  const Network net(widths, layers, batch, momentum != 0, usual, work);
  for (int64_t k = 0; k < net.count; ++k) {
    const Layer& l = net.layers[k];
    if (net.is_unusual(k)) {
      end_unusual(l, net.unusual, weights);
    } else {
      for (int64_t o = 0; o < l.outputs; ++o) {
        std::memcpy(weights + o * l.inputs, l.weight + o * l.step, l.inputs * sizeof(float));
      }
    }
    weights += l.outputs * l.inputs;
    std::memcpy(weights, l.bias, l.outputs * sizeof(float));
    weights += l.outputs;
  }
}

}  // extern "C"

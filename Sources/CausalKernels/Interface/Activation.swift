/// The function that stands between two linear layers. Kinks and details follow `torch.nn.functional`.
public enum Activation: String, CaseIterable, Hashable, Sendable {
    case identity
    /// `max(x, 0)`, with derivative 0 at 0.
    case relu
    /// `x` above zero, `0.01 x` elsewhere.
    case leakyRelu = "leaky_relu"
    /// `x` above zero, `exp(x) - 1` elsewhere.
    case elu
    /// `x Φ(x)` with the exact normal distribution function (erf), not the tanh approximation.
    case gelu
    case tanh
    case sigmoid
    /// `log(1 + exp(x))`, linear above 20.
    case softplus
    /// `x sigmoid(x)`.
    case silu

    /// The derivative of most activations is a function of their output; these need their input kept as well.
    public var needsInputForGradient: Bool { self == .gelu || self == .softplus || self == .silu }
}

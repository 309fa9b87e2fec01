public import CausalKernelInterface

extension VectorKernels {
    public static func activate(_ activation: Activation, _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int) {
        switch activation {
        case .identity: if UnsafePointer(y) != x { y.update(from: x, count: count) }
        case .relu: activate(Relu.self, x, y, count)
        case .leakyRelu: activate(LeakyRelu.self, x, y, count)
        case .elu: activate(Elu.self, x, y, count)
        case .gelu: activate(Gelu.self, x, y, count)
        case .tanh: activate(Tanh.self, x, y, count)
        case .sigmoid: activate(Sigmoid.self, x, y, count)
        case .softplus: activate(Softplus.self, x, y, count)
        case .silu: activate(Silu.self, x, y, count)
        }
    }

    public static func activationGradient(_ activation: Activation, output y: UnsafePointer<Scalar>, input x: UnsafePointer<Scalar>?,
                                          gradient g: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, count: Int) {
        switch activation {
        case .identity: if UnsafePointer(target) != g { target.update(from: g, count: count) }
        case .relu: differentiate(Relu.self, y, g, target, count)
        case .leakyRelu: differentiate(LeakyRelu.self, y, g, target, count)
        case .elu: differentiate(Elu.self, y, g, target, count)
        case .gelu: differentiate(Gelu.self, x!, g, target, count)
        case .tanh: differentiate(Tanh.self, y, g, target, count)
        case .sigmoid: differentiate(Sigmoid.self, y, g, target, count)
        case .softplus: differentiate(Softplus.self, x!, g, target, count)
        case .silu: differentiate(Silu.self, x!, g, target, count)
        }
    }

    private static func activate<Rule: ActivationRule>(_: Rule.Type, _ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int) {
        let lanes = Vector.scalarCount
        var i = 0
        while i + lanes <= count {
            Rule.value(Vector.load(x + i)).store(to: y + i)
            i += lanes
        }
        // What is left is filled up with zeros.
        if i < count { Rule.value(Vector.load(x + i, first: count - i)).store(to: y + i, first: count - i) }
    }

    /// - Parameter at: the one that the rule looks at, of what it gave and what it took.
    private static func differentiate<Rule: ActivationRule>(_: Rule.Type, _ at: UnsafePointer<Scalar>, _ g: UnsafePointer<Scalar>,
                                                            _ target: UnsafeMutablePointer<Scalar>, _ count: Int) {
        let lanes = Vector.scalarCount
        var i = 0
        while i + lanes <= count {
            let at = Vector.load(at + i)
            Rule.gradient(.load(g + i), output: at, input: at).store(to: target + i)
            i += lanes
        }
        if i < count {
            let at = Vector.load(at + i, first: count - i)
            Rule.gradient(.load(g + i, first: count - i), output: at, input: at).store(to: target + i, first: count - i)
        }
    }
}

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
        mapVectors(x, x, y, count) { x, _ in Rule.value(x) }
    }

    /// - Parameter at: the one that the rule looks at, of what it gave and what it took.
    private static func differentiate<Rule: ActivationRule>(_: Rule.Type, _ at: UnsafePointer<Scalar>, _ g: UnsafePointer<Scalar>,
                                                            _ target: UnsafeMutablePointer<Scalar>, _ count: Int) {
        mapVectors(at, g, target, count) { at, g in Rule.gradient(g, output: at, input: at) }
    }

    /// `y = f(a, b)`, a vector at a time; what is left at the end is filled up with zeros.
    @inline(__always)
    private static func mapVectors(_ a: UnsafePointer<Scalar>, _ b: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int,
                                   _ f: (Vector, Vector) -> Vector) {
        let lanes = Vector.scalarCount
        var i = 0
        while i + lanes <= count {
            f(.load(a + i), .load(b + i)).store(to: y + i)
            i += lanes
        }
        if i < count { f(.load(a + i, first: count - i), .load(b + i, first: count - i)).store(to: y + i, first: count - i) }
    }
}

public import CausalKernelInterface

extension VectorKernels {
    public static func activate(_ activation: Activation, _ x: UnsafePointer<Scalar>, into y: UnsafeMutablePointer<Scalar>, count: Int) {
        switch activation {
        case .identity: if UnsafePointer(y) != x { y.update(from: x, count: count) }
        case .relu: map(x, y, count) { $0 < 0 ? 0 : $0 }
        case .leakyRelu: map(x, y, count) { $0 < 0 ? 0.01 * $0 : $0 }
        case .elu: map(x, y, count) { $0 > 0 ? $0 : Vector.expm1($0) }
        case .gelu: mapVectors(x, x, y, count) { x, _ in x * normalDistribution(x) }
        case .tanh: mapVectors(x, x, y, count) { x, _ in x.hyperbolicTangent() }
        case .sigmoid: mapVectors(x, x, y, count) { x, _ in logistic(x) }
        case .softplus: map(x, y, count) { $0 > 20 ? $0 : Vector.log1p(Vector.exp($0)) }
        case .silu: mapVectors(x, x, y, count) { x, _ in x * logistic(x) }
        }
    }

    public static func activationGradient(_ activation: Activation, output y: UnsafePointer<Scalar>, input x: UnsafePointer<Scalar>?,
                                          gradient g: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>, count: Int) {
        switch activation {
        case .identity: if UnsafePointer(target) != g { target.update(from: g, count: count) }
        case .relu: scale(g, by: 0, whereNotPositive: y, into: target, count)
        case .leakyRelu: scale(g, by: 0.01, whereNotPositive: y, into: target, count)
        case .elu: differentiate(y, g, into: target, count) { y, g in y > 0 ? g : g * (y + 1) }
        case .tanh: mapVectors(y, g, target, count) { y, g in (g * (Vector(repeating: 1) - y * y)).zero(where: g) }
        case .sigmoid: mapVectors(y, g, target, count) { y, g in (g * (y * (Vector(repeating: 1) - y))).zero(where: g) }
        case .gelu:
            mapVectors(x!, g, target, count) { x, g in
                let density = Vector(repeating: inverseRootTwoPi) * (Vector(repeating: -0.5) * x * x).exponential()
                // x times the density is 0 far out; there x itself may be infinite.
                return (g * (normalDistribution(x) + (x * density).zero(whereInfinite: x))).zero(where: g)
            }
        case .softplus:
            differentiate(x!, g, into: target, count) { x, g in
                if x > 20 { return g }
                let e = Vector.exp(x)
                return g * (e / (1 + e))
            }
        case .silu:
            mapVectors(x!, g, target, count) { x, g in
                let s = logistic(x)
                return (g * s * (Vector(repeating: 1) + x * (Vector(repeating: 1) - s))).zero(where: g)
            }
        }
    }

    private static var rootHalf: Scalar { 0.707106781186547524400844362104849 }
    private static var inverseRootTwoPi: Scalar { 0.398942280401432677939946059934382 }

    @inline(__always)
    private static func map(_ x: UnsafePointer<Scalar>, _ y: UnsafeMutablePointer<Scalar>, _ count: Int, _ f: (Scalar) -> Scalar) {
        for i in 0..<count { y[i] = f(x[i]) }
    }

    @inline(__always)
    private static func normalDistribution(_ x: Vector) -> Vector {
        Vector(repeating: 0.5) * (Vector(repeating: 1) + (x * Vector(repeating: rootHalf)).errorFunction())
    }

    @inline(__always)
    private static func logistic(_ x: Vector) -> Vector { Vector(repeating: 1) / (Vector(repeating: 1) + (Vector(repeating: 0) - x).exponential()) }

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
        guard i < count else { return }
        var left = Vector(repeating: 0), right = Vector(repeating: 0)
        for k in 0..<count - i {
            left[k] = a[i + k]
            right[k] = b[i + k]
        }
        let last = f(left, right)
        for k in 0..<count - i { y[i + k] = last[k] }
    }

    /// Zero gradients stay zero whatever `y` is, without being looked for.
    @inline(__always)
    private static func scale(_ g: UnsafePointer<Scalar>, by slope: Scalar, whereNotPositive y: UnsafePointer<Scalar>,
                              into target: UnsafeMutablePointer<Scalar>, _ count: Int) {
        let lanes = Vector.scalarCount
        var i = 0
        while i + lanes <= count {
            Vector.load(g + i).times(slope, whereNotPositive: .load(y + i)).store(to: target + i)
            i += lanes
        }
        while i < count {
            target[i] = y[i] <= 0 ? slope * g[i] : g[i]
            i += 1
        }
    }

    @inline(__always)
    private static func differentiate(_ at: UnsafePointer<Scalar>, _ g: UnsafePointer<Scalar>, into target: UnsafeMutablePointer<Scalar>,
                                      _ count: Int, _ f: (Scalar, Scalar) -> Scalar) {
        for i in 0..<count {
            let incoming = g[i]
            target[i] = incoming == 0 ? 0 : f(at[i], incoming)
        }
    }
}

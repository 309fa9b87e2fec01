/// An activation as the compiler knows it, so that a loop over numbers holds no call.
protocol ActivationRule {
    static func value<Vector: Lanes>(_ x: Vector) -> Vector
    /// `g f'`, from the output y or the input x of f. A gradient of exactly zero stays zero whatever these are.
    static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector
}

enum Identity: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector { g }
}

enum Relu: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x.rectified() }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector { g.times(0, whereNotPositive: y) }
}

enum LeakyRelu: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x.leaky(0.01) }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector { g.times(0.01, whereNotPositive: y) }
}

enum Elu: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x.mapped { $0 > 0 ? $0 : Vector.expm1($0) } }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        g.differentiated(at: y) { g, y in y > 0 ? g : g * (y + 1) }
    }
}

enum Gelu: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x * normalDistribution(x) }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        let inverseRootTwoPi = Vector(repeating: 0.398942280401432677939946059934382)
        let density = inverseRootTwoPi * (Vector(repeating: -0.5) * x * x).exponential()
        // x times the density is 0 far out; there x itself may be infinite.
        return (g * (normalDistribution(x) + (x * density).zero(whereInfinite: x))).zero(where: g)
    }

    @inline(__always) private static func normalDistribution<Vector: Lanes>(_ x: Vector) -> Vector {
        let rootHalf = Vector(repeating: 0.707106781186547524400844362104849)
        return Vector(repeating: 0.5) * (Vector(repeating: 1) + (x * rootHalf).errorFunction())
    }
}

enum Tanh: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x.hyperbolicTangent() }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        (g * (Vector(repeating: 1) - y * y)).zero(where: g)
    }
}

enum Sigmoid: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { Vector(repeating: 1) / (Vector(repeating: 1) + (Vector(repeating: 0) - x).exponential()) }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        (g * (y * (Vector(repeating: 1) - y))).zero(where: g)
    }
}

enum Softplus: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x.mapped { $0 > 20 ? $0 : Vector.log1p(Vector.exp($0)) } }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        g.differentiated(at: x) { g, x in
            if x > 20 { return g }
            let e = Vector.exp(x)
            return g * (e / (1 + e))
        }
    }
}

enum Silu: ActivationRule {
    @inline(__always) static func value<Vector: Lanes>(_ x: Vector) -> Vector { x * Sigmoid.value(x) }
    @inline(__always) static func gradient<Vector: Lanes>(_ g: Vector, output y: Vector, input x: Vector) -> Vector {
        let s = Sigmoid.value(x)
        return (g * s * (Vector(repeating: 1) + x * (Vector(repeating: 1) - s))).zero(where: g)
    }
}

extension Lanes {
    /// Lane by lane, where there is a gradient.
    @inline(__always) fileprivate func differentiated(at place: Self, _ f: (_ gradient: Scalar, _ place: Scalar) -> Scalar) -> Self {
        var result = Self(repeating: 0)
        for lane in 0..<Self.scalarCount where self[lane] != 0 { result[lane] = f(self[lane], place[lane]) }
        return result
    }
}

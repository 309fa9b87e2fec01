public import CausalKernelInterface

// Zero times anything finite is zero, and a sum of zeros tells whether all new parameters are.

extension VectorKernels {
    public static func stepSGD(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafeMutablePointer<Scalar>, momentum m: UnsafeMutablePointer<Scalar>?,
                               rate: Double, momentumFactor: Double, decay: Double, isFirst: Bool, count: Int) -> Bool {
        let rate = Scalar(rate), factor = Scalar(momentumFactor), decay = Scalar(decay)
        let lanes = Vector.scalarCount
        var zeros = Vector(repeating: 0), lastZeros: Scalar = 0
        var i = 0
        while i + lanes <= count {
            let old = Vector.load(p + i)
            var direction = Vector.load(g + i)
            if decay != 0 { direction = direction + Vector(repeating: decay) * old }
            if let m {
                if !isFirst { direction = Vector(repeating: factor) * .load(m + i) + direction }
                direction.store(to: m + i)
            }
            let new = old - Vector(repeating: rate) * direction
            new.store(to: p + i)
            old.store(to: g + i)
            zeros = zeros.adding(new, times: Vector(repeating: 0))
            i += lanes
        }
        while i < count {
            let old = p[i]
            var direction = g[i]
            if decay != 0 { direction += decay * old }
            if let m {
                if !isFirst { direction = factor * m[i] + direction }
                m[i] = direction
            }
            p[i] = old - rate * direction
            g[i] = old
            lastZeros += 0 * p[i]
            i += 1
        }
        return zeros.total() + lastZeros == 0
    }

    public static func stepAdam(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafeMutablePointer<Scalar>,
                                mean m: UnsafeMutablePointer<Scalar>, variance v: UnsafeMutablePointer<Scalar>,
                                step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double,
                                decay: Double, decoupled: Bool, count: Int) -> Bool {
        let correction1 = 1 - power(beta1, step), correction2 = 1 - power(beta2, step)
        // With the corrections outside the loop, as at the end of section 2 of the paper: one division a parameter less.
        let root = correction2.squareRoot(), stepSize = Scalar(rate / correction1 * root), small = Scalar(epsilon * root)
        let keep = Scalar(decoupled ? 1 - rate * decay : 1), pull = Scalar(decoupled ? 0 : decay)
        let b1 = Scalar(beta1), c1 = Scalar(1 - beta1), b2 = Scalar(beta2), c2 = Scalar(1 - beta2)
        // Of a unit that is dead the averages fade until they are subnormal, which processors take a hundred times as long for: there they are 0.
        let least = Vector(repeating: 2 * Scalar.leastNormalMagnitude)
        @inline(__always) func updated(_ p: Vector, _ g: Vector, _ m: Vector, _ v: Vector) -> (p: Vector, m: Vector, v: Vector) {
            let old = p * Vector(repeating: keep), gradient = g + Vector(repeating: pull) * old
            let mean = (Vector(repeating: b1) * m + Vector(repeating: c1) * gradient).zero(within: least)
            let variance = (Vector(repeating: b2) * v + Vector(repeating: c2) * gradient * gradient).zero(within: least)
            return (old - Vector(repeating: stepSize) * mean / (variance.squareRoot() + Vector(repeating: small)), mean, variance)
        }
        let lanes = Vector.scalarCount
        var zeros = Vector(repeating: 0), i = 0
        while i + lanes <= count {
            let before = Vector.load(p + i), new = updated(before, .load(g + i), .load(m + i), .load(v + i))
            new.p.store(to: p + i)
            new.m.store(to: m + i)
            new.v.store(to: v + i)
            before.store(to: g + i)
            zeros = zeros.adding(new.p, times: Vector(repeating: 0))
            i += lanes
        }
        if i < count {
            let rest = count - i, before = Vector.load(p + i, first: rest)
            let new = updated(before, .load(g + i, first: rest), .load(m + i, first: rest), .load(v + i, first: rest))
            new.p.store(to: p + i, first: rest)
            new.m.store(to: m + i, first: rest)
            new.v.store(to: v + i, first: rest)
            before.store(to: g + i, first: rest)
            zeros = zeros.adding(.load(p + i, first: rest), times: Vector(repeating: 0))
        }
        return zeros.total() == 0
    }

    /// `base` to a whole power, by squaring: the same bits everywhere, which libm's pow does not promise.
    private static func power(_ base: Double, _ exponent: Int) -> Double {
        var result = 1.0, square = base, rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result *= square }
            square *= square
            rest >>= 1
        }
        return result
    }
}

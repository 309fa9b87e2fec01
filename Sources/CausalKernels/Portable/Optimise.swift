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
        let stepSize = Scalar(rate / correction1)
        let rootCorrection = Scalar(correction2.squareRoot())
        let keep = Scalar(decoupled ? 1 - rate * decay : 1), pull = Scalar(decoupled ? 0 : decay)
        let b1 = Scalar(beta1), c1 = Scalar(1 - beta1), b2 = Scalar(beta2), c2 = Scalar(1 - beta2)
        let small = Scalar(epsilon), root = Vector(repeating: rootCorrection)
        let lanes = Vector.scalarCount
        var zeros = Vector(repeating: 0), lastZeros: Scalar = 0
        var i = 0
        while i + lanes <= count {
            let before = Vector.load(p + i), old = before * Vector(repeating: keep)
            let gradient = Vector.load(g + i) + Vector(repeating: pull) * old
            let mean = Vector(repeating: b1) * .load(m + i) + Vector(repeating: c1) * gradient
            let variance = Vector(repeating: b2) * .load(v + i) + Vector(repeating: c2) * gradient * gradient
            mean.store(to: m + i)
            variance.store(to: v + i)
            let new = old - Vector(repeating: stepSize) * mean / (variance.squareRoot() / root + Vector(repeating: small))
            new.store(to: p + i)
            before.store(to: g + i)
            zeros = zeros.adding(new, times: Vector(repeating: 0))
            i += lanes
        }
        while i < count {
            let before = p[i], old = before * keep
            let gradient = g[i] + pull * old
            let mean = b1 * m[i] + c1 * gradient
            let variance = b2 * v[i] + c2 * gradient * gradient
            m[i] = mean
            v[i] = variance
            p[i] = old - stepSize * mean / (variance.squareRoot() / rootCorrection + small)
            g[i] = before
            lastZeros += 0 * p[i]
            i += 1
        }
        return zeros.total() + lastZeros == 0
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

public import CausalKernelInterface

extension VectorKernels {
    public static func stepSGD(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafePointer<Scalar>, momentum m: UnsafeMutablePointer<Scalar>?,
                               rate: Double, momentumFactor: Double, decay: Double, isFirst: Bool, count: Int) {
        let rate = Scalar(rate), factor = Scalar(momentumFactor), decay = Scalar(decay)
        for i in 0..<count {
            var direction = g[i]
            if decay != 0 { direction += decay * p[i] }
            if let m {
                direction = isFirst ? direction : factor * m[i] + direction
                m[i] = direction
            }
            p[i] -= rate * direction
        }
    }

    public static func stepAdam(_ p: UnsafeMutablePointer<Scalar>, gradient g: UnsafePointer<Scalar>,
                                mean m: UnsafeMutablePointer<Scalar>, variance v: UnsafeMutablePointer<Scalar>,
                                step: Int, rate: Double, beta1: Double, beta2: Double, epsilon: Double,
                                decay: Double, decoupled: Bool, count: Int) {
        let correction1 = 1 - power(beta1, step), correction2 = 1 - power(beta2, step)
        let stepSize = Scalar(rate / correction1)
        let rootCorrection = Scalar(correction2.squareRoot())
        let keep = Scalar(decoupled ? 1 - rate * decay : 1), pull = Scalar(decoupled ? 0 : decay)
        let b1 = Scalar(beta1), c1 = Scalar(1 - beta1), b2 = Scalar(beta2), c2 = Scalar(1 - beta2)
        let small = Scalar(epsilon), root = Vector(repeating: rootCorrection)
        let lanes = Vector.scalarCount
        var i = 0
        while i + lanes <= count {
            let old = Vector.load(p + i) * Vector(repeating: keep)
            let gradient = Vector.load(g + i) + Vector(repeating: pull) * old
            let mean = Vector(repeating: b1) * .load(m + i) + Vector(repeating: c1) * gradient
            let variance = Vector(repeating: b2) * .load(v + i) + Vector(repeating: c2) * gradient * gradient
            mean.store(to: m + i)
            variance.store(to: v + i)
            (old - Vector(repeating: stepSize) * mean / (variance.squareRoot() / root + Vector(repeating: small))).store(to: p + i)
            i += lanes
        }
        while i < count {
            let old = p[i] * keep
            let gradient = g[i] + pull * old
            let mean = b1 * m[i] + c1 * gradient
            let variance = b2 * v[i] + c2 * gradient * gradient
            m[i] = mean
            v[i] = variance
            p[i] = old - stepSize * mean / (variance.squareRoot() / rootCorrection + small)
            i += 1
        }
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

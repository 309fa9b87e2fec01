internal import Glibc

/// How noise enters a mechanism: `value = generate(head, noise)`, where the head is what a network made of the parents. For real
/// variables it is increasing in the noise, so that `noise = abduct(head, value)` has one answer; values are standardised here.
///
/// A head is `headWidth` numbers, and noise `noiseWidth`. One row at a time.
package enum NoiseLaw: Hashable, Sendable {
    /// `head + noise`.
    case additive
    /// `head₀ + s(head₁) noise`, with s the exponential of a bounded function.
    case locationScale
    /// `noise = spline((value - head₀) / s(head₁); head₂...)`, Gaussian.
    case spline(pieces: Int)
    /// The level k with the largest `headₖ + noiseₖ`, of independent Gumbel noises: it has the probabilities softmax(head).
    case gumbel(levels: Int)

    package var headWidth: Int {
        switch self {
        case .additive: 1
        case .locationScale: 2
        case .spline(let pieces): 2 + RationalQuadraticSpline.parameterCount(pieces)
        case .gumbel(let levels): levels
        }
    }

    package var noiseWidth: Int {
        if case .gumbel(let levels) = self { levels } else { 1 }
    }

    /// Whether a value tells its noise exactly.
    package var isInvertible: Bool {
        if case .gumbel = self { false } else { true }
    }

    /// The distribution of the noise; nil where it is learned, as the residuals that were seen.
    package enum Distribution: Sendable { case gaussian, gumbel }
    package var distribution: Distribution? {
        switch self {
        case .additive, .locationScale: nil
        case .spline: .gaussian
        case .gumbel: .gumbel
        }
    }

    package func generate(_ head: UnsafePointer<Double>, _ noise: UnsafePointer<Double>) -> Double {
        switch self {
        case .additive: return head[0] + noise[0]
        case .locationScale: return head[0] + Scale.value(head[1]) * noise[0]
        case .spline(let pieces): return head[0] + Scale.value(head[1]) * RationalQuadraticSpline(head + 2, pieces: pieces).inverse(noise[0])
        case .gumbel(let levels):
            var best = 0
            for k in 1..<levels where head[k] + noise[k] > head[best] + noise[best] { best = k }
            return Double(best)
        }
    }

    /// The noise that made the value; for an invertible law.
    package func abduct(_ head: UnsafePointer<Double>, _ value: Double) -> Double {
        switch self {
        case .additive: value - head[0]
        case .locationScale: (value - head[0]) / Scale.value(head[1])
        case .spline(let pieces): RationalQuadraticSpline(head + 2, pieces: pieces)((value - head[0]) / Scale.value(head[1])).value
        case .gumbel: .nan
        }
    }

    /// The log density of the value, where the noise of an additive law is taken for standard Gaussian (least squares). `gradient`, of the
    /// head, is overwritten.
    package func logDensity(_ head: UnsafePointer<Double>, _ value: Double, gradient: UnsafeMutablePointer<Double>?) -> Double {
        switch self {
        case .additive:
            let u = value - head[0]
            gradient?[0] = u
            return NoiseLaw.gaussian(u)
        case .locationScale:
            let inverse = 1 / Scale.value(head[1]), u = (value - head[0]) * inverse, slope = Scale.logSlope(head[1])
            gradient?[0] = u * inverse
            gradient?[1] = (u * u - 1) * slope
            return NoiseLaw.gaussian(u) + log(inverse)
        case .spline(let pieces):
            let inverse = 1 / Scale.value(head[1]), z = (value - head[0]) * inverse, slope = Scale.logSlope(head[1])
            let spline = RationalQuadraticSpline(head + 2, pieces: pieces), u = spline(z)
            if let gradient {
                // d(log density) = -u du + d(log slope) - d(log scale)
                let (dz, dLog) = spline.gradients(z, ofValue: -u.value, ofLogSlope: 1, into: gradient + 2)
                gradient[0] = -(dz + dLog) * inverse
                gradient[1] = (-(dz + dLog) * z - 1) * slope
            }
            return NoiseLaw.gaussian(u.value) + log(u.slope) + log(inverse)
        case .gumbel(let levels):
            let largest = (0..<levels).reduce(-Double.infinity) { max($0, head[$1]) }
            let sum = (0..<levels).reduce(0) { $0 + exp(head[$1] - largest) }, level = Int(value)
            if let gradient {
                for k in 0..<levels { gradient[k] = (k == level ? 1 : 0) - exp(head[k] - largest) / sum }
            }
            return head[level] - largest - log(sum)
        }
    }

    static func gaussian(_ u: Double) -> Double { -0.5 * u * u - 0.918938533204672741780 }

    /// `exp(4 tanh(a / 4))`: a scale that neither vanishes nor explodes, whatever the network says.
    enum Scale {
        static func value(_ a: Double) -> Double { exp(4 * tanh(a / 4)) }
        static func logSlope(_ a: Double) -> Double {
            let t = tanh(a / 4)
            return 1 - t * t
        }
    }
}

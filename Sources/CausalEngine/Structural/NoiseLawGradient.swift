extension NoiseLaw {
    /// The chain rule through `generate`: from the gradient of the value to that of the head, which is overwritten. A category is no
    /// number that could be a little larger: its gradient is 0.
    package func generateGradient(_ head: UnsafePointer<Double>, _ noise: UnsafePointer<Double>, _ gradient: Double,
                                  into headGradient: UnsafeMutablePointer<Double>) {
        switch self {
        case .additive: headGradient[0] = gradient
        case .locationScale:
            headGradient[0] = gradient
            headGradient[1] = gradient * noise[0] * Scale.value(head[1]) * Scale.logSlope(head[1])
        case .spline(let pieces):
            let spline = RationalQuadraticSpline(head + 2, pieces: pieces), z = spline.inverse(noise[0]), scale = Scale.value(head[1])
            // noise = spline(z; θ) stays as it is: dz = -(∂spline/∂θ) dθ / (∂spline/∂z).
            _ = spline.gradients(z, ofValue: -gradient * scale / spline(z).slope, ofLogSlope: 0, into: headGradient + 2)
            headGradient[0] = gradient
            headGradient[1] = gradient * z * scale * Scale.logSlope(head[1])
        case .gumbel(let levels): headGradient.update(repeating: 0, count: levels)
        }
    }

    /// How much more the value is where the noise is more: the derivative of `generate`, for an invertible law.
    package func slope(_ head: UnsafePointer<Double>, _ noise: Double) -> Double {
        switch self {
        case .additive: return 1
        case .locationScale: return Scale.value(head[1])
        case .spline(let pieces):
            let spline = RationalQuadraticSpline(head + 2, pieces: pieces)
            return Scale.value(head[1]) / spline(spline.inverse(noise)).slope
        case .gumbel: return 0
        }
    }
}

extension NoiseLaw {
    /// The chain rule through `abduct`, of an invertible law: from the gradient of the noise to that of the head, which is overwritten.
    package func abductGradient(_ head: UnsafePointer<Double>, _ value: Double, _ gradient: Double, into headGradient: UnsafeMutablePointer<Double>) {
        switch self {
        case .additive: headGradient[0] = -gradient
        case .locationScale:
            let inverse = 1 / Scale.value(head[1])
            headGradient[0] = -gradient * inverse
            headGradient[1] = -gradient * (value - head[0]) * inverse * Scale.logSlope(head[1])
        case .spline(let pieces):
            let inverse = 1 / Scale.value(head[1]), z = (value - head[0]) * inverse
            let (dz, _) = RationalQuadraticSpline(head + 2, pieces: pieces).gradients(z, ofValue: gradient, ofLogSlope: 0, into: headGradient + 2)
            headGradient[0] = -dz * inverse
            headGradient[1] = -dz * z * Scale.logSlope(head[1])
        case .gumbel(let levels): headGradient.update(repeating: 0, count: levels)
        }
    }
}

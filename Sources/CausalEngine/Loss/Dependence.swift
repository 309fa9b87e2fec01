internal import CausalKernels
internal import Glibc

/// How far two samples are from independent: the Hilbert-Schmidt criterion of Gretton, Bousquet, Smola and Schölkopf (2005), `tr(K H L H) / (n - 1)²`
/// with Gaussian kernels K and L of standardised columns, as wide as these are apart, and H that centres. It is 0 where the two are independent, up
/// to chance, and above 0 where they are not, whatever the dependence.
enum Dependence {
    /// Rows that are compared with each other; of more, the mean over blocks of these, so that the cost is linear in rows.
    static let blockRows = 512

    /// The mean over blocks of (n, p) and (n, q); its gradient with respect to x is overwritten.
    static func value(_ x: UnsafePointer<Double>, _ p: Int, _ y: UnsafePointer<Double>, _ q: Int, rows: Int, gradient: UnsafeMutablePointer<Double>?)
        throws(EngineError) -> Double {
        let blocks = (rows + blockRows - 1) / blockRows
        gradient?.update(repeating: 0, count: rows * p)
        var sum = 0.0
        for block in 0..<blocks {
            // Of equal sizes, so that no last block is too small to tell.
            let first = block * rows / blocks, count = (block + 1) * rows / blocks - first
            guard count > 1 else { continue }
            let weight = Double(count) / Double(rows)
            sum += try weight * ofBlock(x + first * p, p, y + first * q, q, count, weight, gradient.map { $0 + first * p })
        }
        return sum
    }

    private static func ofBlock(_ x: UnsafePointer<Double>, _ p: Int, _ y: UnsafePointer<Double>, _ q: Int, _ n: Int, _ weight: Double,
                                _ gradient: UnsafeMutablePointer<Double>?) throws(EngineError) -> Double {
        try withScratch(n * (2 * n + 2 * p + q + 1) + p + q, Double.self) { memory throws(EngineError) in
            let k = memory, l = k + n * n, a = l + n * n, b = a + n * p, slopes = b + n * q, means = slopes + n * p, scales = means + n
            standardise(x, n, p, into: a, scales)
            standardise(y, n, q, into: b, scales + p)
            kernel(a, n, p, into: k)
            kernel(b, n, q, into: l)
            centre(l, n, means)
            let norm = 1 / (Double(n - 1) * Double(n - 1))
            var sum = 0.0
            for i in 0..<n * n { sum += k[i] * l[i] }
            guard let gradient else { return sum * norm }
            // Of the kernel, towards the standardised points, and through the standardisation.
            for i in 0..<n {
                for c in 0..<p {
                    var slope = 0.0
                    for j in 0..<n { slope -= k[i * n + j] * l[i * n + j] * (a[i * p + c] - a[j * p + c]) }
                    slopes[i * p + c] = 2 * norm * slope / Double(p)
                }
            }
            for c in 0..<p where scales[c] > 0 {
                var along = 0.0
                for i in 0..<n { along += slopes[i * p + c] * a[i * p + c] }
                // Points that move together change nothing, so that the slopes add up to 0 and the mean may stay.
                for i in 0..<n { gradient[i * p + c] = weight * (slopes[i * p + c] - along * a[i * p + c] / Double(n)) / scales[c] }
            }
            return sum * norm
        }
    }

    /// Columns of mean 0 and variance 1; one that does not vary becomes 0, and its scale 0.
    private static func standardise(_ x: UnsafePointer<Double>, _ n: Int, _ width: Int, into target: UnsafeMutablePointer<Double>,
                                    _ scales: UnsafeMutablePointer<Double>) {
        for c in 0..<width {
            var mean = 0.0, square = 0.0
            for i in 0..<n { mean += x[i * width + c] / Double(n) }
            for i in 0..<n { square += (x[i * width + c] - mean) * (x[i * width + c] - mean) / Double(n) }
            let scale = square.squareRoot()
            scales[c] = scale <= 1e-12 * abs(mean) ? 0 : scale
            for i in 0..<n { target[i * width + c] = scales[c] == 0 ? 0 : (x[i * width + c] - mean) / scales[c] }
        }
    }

    private static func kernel(_ a: UnsafePointer<Double>, _ n: Int, _ width: Int, into k: UnsafeMutablePointer<Double>) {
        for i in 0..<n {
            k[i * n + i] = 1
            for j in 0..<i {
                var square = 0.0
                for c in 0..<width {
                    let apart = a[i * width + c] - a[j * width + c]
                    square += apart * apart
                }
                let value = exp(-square / (2 * Double(width)))
                k[i * n + j] = value
                k[j * n + i] = value
            }
        }
    }

    /// H L H, of a symmetric matrix.
    private static func centre(_ l: UnsafeMutablePointer<Double>, _ n: Int, _ means: UnsafeMutablePointer<Double>) {
        var all = 0.0
        for i in 0..<n {
            var mean = 0.0
            for j in 0..<n { mean += l[i * n + j] }
            means[i] = mean / Double(n)
            all += means[i] / Double(n)
        }
        for i in 0..<n { for j in 0..<n { l[i * n + j] += all - means[i] - means[j] } }
    }
}

/// Two samples side by side, checked: a loss that is their dependence.
struct Independence<Scalar: EngineScalar> {
    private let x: MatrixView<Scalar>
    private let y: MatrixView<Scalar>

    init(_ arguments: LossArguments<Scalar>) throws(EngineError) {
        guard let x = arguments.prediction else { throw EngineError(.missing, "independence loss: the prediction is missing") }
        guard let y = arguments.target else { throw EngineError(.missing, "independence loss: the target is missing") }
        guard x.rows == y.rows, x.rows > 1, x.columns > 0, y.columns > 0 else {
            throw EngineError(.shape, "independence loss: prediction of shape \(x.shape) and target of shape \(y.shape), expected as many rows of both, two at "
                + "least; a single column is (rows, 1)")
        }
        self.x = x
        self.y = y
    }

    func value(factor: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?) throws(EngineError) -> Double {
        let rows = x.rows, p = x.columns, q = y.columns
        return try withScratch(checkedSize(rows, 2 * p + q, of: "independence loss"), Double.self) { memory throws(EngineError) in
            Scalar.widen(x.pointer, into: memory, count: rows * p)
            Scalar.widen(y.pointer, into: memory + rows * p, count: rows * q)
            let slopes = gradient == nil ? nil : memory + rows * (p + q)
            let value = try Dependence.value(memory, p, memory + rows * p, q, rows: rows, gradient: slopes)
            if let gradient, let slopes { for i in 0..<rows * p { gradient[i] += Scalar(factor * slopes[i]) } }
            return value
        }
    }
}

/// Heads of a mechanism beside the values that were seen and the network's inputs: a loss that is the dependence of its noise and these.
struct ResidualIndependence<Scalar: EngineScalar> {
    let law: NoiseLaw
    private let heads: MatrixView<Scalar>
    private let values: MatrixView<Scalar>
    private let inputs: MatrixView<Scalar>

    init(_ law: NoiseLaw, _ arguments: LossArguments<Scalar>) throws(EngineError) {
        guard let heads = arguments.prediction, let values = arguments.target, let inputs = arguments.inputs else {
            throw EngineError(.missing, "independence of residuals: the prediction, the target or the inputs are missing")
        }
        guard heads.rows == values.rows, heads.rows == inputs.rows, heads.columns == law.headWidth, values.columns == 1, law.isInvertible else {
            throw EngineError(.shape, "independence of residuals: prediction of shape \(heads.shape), target of shape \(values.shape) and inputs of shape "
                + "\(inputs.shape), expected (rows, \(law.headWidth)), (rows, 1) and as many rows")
        }
        self.law = law
        self.heads = heads
        self.values = values
        self.inputs = inputs
    }

    func value(factor: Double, addingTo gradient: UnsafeMutablePointer<Scalar>?) throws(EngineError) -> Double {
        let rows = heads.rows, width = law.headWidth, q = inputs.columns
        return try withScratch(rows * (2 + q) + 2 * width, Double.self) { memory throws(EngineError) in
            let noise = memory, slopes = noise + rows, wide = slopes + rows, head = wide + rows * q, ofHead = head + width
            Scalar.widen(inputs.pointer, into: wide, count: rows * q)
            for i in 0..<rows {
                for c in 0..<width { head[c] = Double(heads.pointer[i * width + c]) }
                noise[i] = law.abduct(head, Double(values.pointer[i]))
            }
            let value = try Dependence.value(noise, 1, wide, q, rows: rows, gradient: gradient == nil ? nil : slopes)
            guard let gradient else { return value }
            for i in 0..<rows {
                for c in 0..<width { head[c] = Double(heads.pointer[i * width + c]) }
                law.abductGradient(head, Double(values.pointer[i]), factor * slopes[i], into: ofHead)
                for c in 0..<width { gradient[i * width + c] += Scalar(ofHead[c]) }
            }
            return value
        }
    }
}

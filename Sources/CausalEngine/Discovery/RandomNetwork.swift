internal import CausalKernels
internal import Glibc

/// How well a network with random hidden units, of which only the output is learned (Huang, Zhu and Siew 2006), predicts a variable from some parents, in
/// rows held out. It can be anything smooth, with all parents acting together, and costs one factorisation.
struct RandomNetwork {
    private let rows: Int
    /// Rows before it are one half, the others the other; each is predicted from what the other taught.
    private let half: Int
    /// Standardised: rows by variables, and the child.
    private let inputs: Storage<Float>
    private let outputs: Storage<Float>
    private let width: Int
    /// Variables by units, and the units' offsets.
    private let hidden: [Float]
    private let offsets: [Float]

    private static let units = 200
    private static let mostRows = 8_000
    private static let ridges = [1e-6, 1e-4, 1e-2]

    /// - Parameter chosen: the rows that tell of the child.
    init(_ child: Int, _ data: StructuralDataset, rows chosen: [Int], random: Random) throws(EngineError) {
        var random = random, order = chosen
        random.shuffle(&order)
        order = Array(order.prefix(Self.mostRows))
        rows = order.count
        half = order.count / 2
        width = data.columns
        inputs = try Storage(count: rows * width, of: "network")
        outputs = try Storage(count: rows, of: "network")
        for v in 0..<width {
            let scale = Standardisation(order.map { data.value($0, v) })
            for (i, row) in order.enumerated() { inputs.pointer[i * width + v] = Float(scale.standard(data.value(row, v))) }
        }
        for i in 0..<rows { outputs.pointer[i] = inputs.pointer[i * width + child] }
        func normal() -> Float { Float((-2 * log(random.openUniform())).squareRoot() * cos(2 * Double.pi * random.uniform())) }
        offsets = (0..<Self.units).map { _ in normal() }
        hidden = (0..<width * Self.units).map { _ in normal() }
    }

    /// The logarithm of the likelihood of all rows, each predicted from the other half, but for what all sets of parents share.
    func likelihood(_ parents: [Int]) throws(EngineError) -> Double {
        guard !parents.isEmpty else { return 0 }
        let size = 1 + parents.count + Self.units
        let features = try Storage<Float>(count: rows * size, of: "network"), sums = try Storage<Float>(count: rows * Self.units, of: "network")
        let values = try Storage<Float>(count: rows * parents.count, of: "network")
        for i in 0..<rows {
            (sums.pointer + i * Self.units).update(from: offsets, count: Self.units)
            for (k, parent) in parents.enumerated() { values.pointer[i * parents.count + k] = inputs.pointer[i * width + parent] }
        }
        let weights = parents.flatMap { hidden[$0 * Self.units..<($0 + 1) * Self.units] }
        Float.gemm(transposeA: false, transposeB: false, rows: rows, columns: Self.units, depth: parents.count, values.pointer, strideA: parents.count,
                   weights, strideB: Self.units, beta: 1, sums.pointer, strideC: Self.units)
        Float.kernels.activate(.tanh, sums.pointer, into: sums.pointer, count: rows * Self.units)
        for i in 0..<rows {
            let out = features.pointer + i * size
            out[0] = 1
            (out + 1).update(from: values.pointer + i * parents.count, count: parents.count)
            (out + 1 + parents.count).update(from: sums.pointer + i * Self.units, count: Self.units)
        }
        let first = try Moments(features.pointer, outputs.pointer, rows: half, size: size)
        let second = try Moments(features.pointer + half * size, outputs.pointer + half, rows: rows - half, size: size)
        // One ridge for both halves, the one that predicts best.
        var least = Double.infinity
        for ridge in Self.ridges { least = min(least, first.error(in: second, ridge) + second.error(in: first, ridge)) }
        let total = first.square + second.square
        return -Double(rows) / 2 * log(max(least / max(total, 1e-300), 1e-12))
    }

    /// Products of features with each other and with the output.
    private struct Moments {
        let rows: Int
        let size: Int
        let products: [Double]
        let shared: [Double]
        let square: Double

        init(_ features: UnsafePointer<Float>, _ outputs: UnsafePointer<Float>, rows: Int, size: Int) throws(EngineError) {
            let matrix = try Storage<Float>(count: size * size, of: "network"), vector = try Storage<Float>(count: size, of: "network")
            Float.gemm(transposeA: true, transposeB: false, rows: size, columns: size, depth: rows, features, strideA: size, features, strideB: size,
                       beta: 0, matrix.pointer, strideC: size)
            Float.gemm(transposeA: true, transposeB: false, rows: size, columns: 1, depth: rows, features, strideA: size, outputs, strideB: 1,
                       beta: 0, vector.pointer, strideC: 1)
            self.rows = rows
            self.size = size
            products = matrix.buffer.map(Double.init)
            shared = vector.buffer.map(Double.init)
            square = (0..<rows).reduce(0) { $0 + Double(outputs[$1]) * Double(outputs[$1]) }
        }

        /// The sum of squared errors in other rows, after ridge regression in these.
        func error(in others: Moments, _ ridge: Double) -> Double {
            var factor = products, solution = shared
            for k in 0..<size { factor[k * size + k] += ridge * Double(max(rows, 1)) }
            guard Double.potrf(CChar(UInt8(ascii: "U")), Int32(size), &factor) == 0 else { return .infinity }
            // Row-major, the factor is a lower triangle.
            factor.withUnsafeBufferPointer { l in
                for i in 0..<size {
                    var sum = solution[i]
                    for k in 0..<i { sum -= l[i * size + k] * solution[k] }
                    solution[i] = sum / l[i * size + i]
                }
                for i in (0..<size).reversed() {
                    solution[i] /= l[i * size + i]
                    for k in 0..<i { solution[k] -= l[i * size + k] * solution[i] }
                }
            }
            var total = others.square
            for i in 0..<size {
                var sum = 0.0
                for k in 0..<size { sum += others.products[i * size + k] * solution[k] }
                total += solution[i] * (sum - 2 * others.shared[i])
            }
            return max(total, 0)
        }
    }
}

internal import CausalKernels
internal import Glibc

/// How well a network with random hidden units, of which only the output is learned (Huang, Zhu and Siew 2006), predicts a variable from some
/// parents, in rows held out. It can be anything smooth, with all parents acting together, and costs one factorisation.
struct RandomNetwork {
    private let rows: Int
    /// With those after them that are predicted, and teach nothing.
    private let allRows: Int
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

    /// The rows of the data, in the order in which `residuals` tells of them.
    let order: [Int]

    /// - Parameters:
    ///   - chosen: the rows that tell of the child.
    ///   - others: rows that `residuals` is to tell of too.
    init(_ child: Int, _ data: StructuralDataset, rows chosen: [Int], others: [Int] = [], random: Random) throws(EngineError) {
        var random = random, order = chosen
        random.shuffle(&order)
        order = Array(order.prefix(Self.mostRows))
        rows = order.count
        half = order.count / 2
        width = data.columns
        allRows = rows + others.count
        self.order = order + others
        inputs = try Storage(count: allRows * width, of: "network")
        outputs = try Storage(count: allRows, of: "network")
        for v in 0..<width {
            let scale = Standardisation(order.map { data.value($0, v) })
            for (i, row) in self.order.enumerated() { inputs.pointer[i * width + v] = Float(scale.standard(data.value(row, v))) }
        }
        for i in 0..<allRows { outputs.pointer[i] = inputs.pointer[i * width + child] }
        offsets = (0..<Self.units).map { _ in Float(random.gaussian()) }
        hidden = (0..<width * Self.units).map { _ in Float(random.gaussian()) }
    }

    /// The logarithm of the likelihood of all rows, each predicted from the other half, but for what all sets of parents share.
    func likelihood(_ parents: [Int]) throws(EngineError) -> Double {
        guard !parents.isEmpty else { return 0 }
        let fit = try fit(parents), total = fit.first.square + fit.second.square
        return -Double(rows) / 2 * log(max(fit.error / max(total, 1e-300), 1e-12))
    }

    /// What the parents do not explain in each row, by what the other half of the rows taught; in the rows that taught nothing, by what the first
    /// half did. In units of the child's spread.
    func residuals(_ parents: [Int]) throws(EngineError) -> [Double] {
        guard !parents.isEmpty else { return (0..<allRows).map { Double(outputs.pointer[$0]) } }
        let fit = try fit(parents), size = 1 + parents.count + Self.units
        guard let early = fit.first.solution(fit.ridge), let late = fit.second.solution(fit.ridge) else {
            throw EngineError(.value, "discovery: a regression on \(parents.count) parents that has no answer")
        }
        return (0..<allRows).map { row in
            let own = fit.features.pointer + row * size, weights = row < half ? late : early
            return (0..<size).reduce(Double(outputs.pointer[row])) { $0 - Double(own[$1]) * weights[$1] }
        }
    }

    private struct Fit {
        let features: Storage<Float>
        let first: Moments
        let second: Moments
        /// One for both halves, the one that predicts best.
        var ridge = RandomNetwork.ridges[0]
        var error = Double.infinity
    }

    private func fit(_ parents: [Int]) throws(EngineError) -> Fit {
        let size = 1 + parents.count + Self.units, features = try features(parents)
        var fit = Fit(features: features, first: try Moments(features.pointer, outputs.pointer, rows: half, size: size),
                      second: try Moments(features.pointer + half * size, outputs.pointer + half, rows: rows - half, size: size))
        for ridge in Self.ridges {
            let error = fit.first.error(in: fit.second, ridge) + fit.second.error(in: fit.first, ridge)
            if error < fit.error { (fit.ridge, fit.error) = (ridge, error) }
        }
        return fit
    }

    /// A constant, the parents, and hidden units.
    private func features(_ parents: [Int]) throws(EngineError) -> Storage<Float> {
        let size = 1 + parents.count + Self.units
        let features = try Storage<Float>(count: allRows * size, of: "network"), sums = try Storage<Float>(count: allRows * Self.units, of: "network")
        let values = try Storage<Float>(count: allRows * parents.count, of: "network")
        for i in 0..<allRows {
            (sums.pointer + i * Self.units).update(from: offsets, count: Self.units)
            for (k, parent) in parents.enumerated() { values.pointer[i * parents.count + k] = inputs.pointer[i * width + parent] }
        }
        let weights = parents.flatMap { hidden[$0 * Self.units..<($0 + 1) * Self.units] }
        Float.gemm(transposeA: false, transposeB: false, rows: allRows, columns: Self.units, depth: parents.count,
                   values.pointer, strideA: parents.count, weights, strideB: Self.units, beta: 1, sums.pointer, strideC: Self.units)
        Float.kernels.activate(.tanh, sums.pointer, into: sums.pointer, count: allRows * Self.units)
        for i in 0..<allRows {
            let out = features.pointer + i * size
            out[0] = 1
            for (k, _) in parents.enumerated() { out[1 + k] = values.pointer[i * parents.count + k] }
            for k in 0..<Self.units { out[1 + parents.count + k] = sums.pointer[i * Self.units + k] }
        }
        return features
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

        /// The weights of ridge regression in these rows; nil where there are none.
        func solution(_ ridge: Double) -> [Double]? {
            var factor = products, solution = shared
            for k in 0..<size { factor[k * size + k] += ridge * Double(max(rows, 1)) }
            guard Double.potrf(CChar(UInt8(ascii: "U")), Int32(size), &factor) == 0 else { return nil }
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
            return solution
        }

        /// The sum of squared errors in other rows, after ridge regression in these.
        func error(in others: Moments, _ ridge: Double) -> Double {
            guard let solution = solution(ridge) else { return .infinity }
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

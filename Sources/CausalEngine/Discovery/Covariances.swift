internal import CausalKernels

/// What linear Gaussian scores need to know of the rows: for each variable the correlations of all variables over those rows in which it was not
/// set. Variables that were set in the same rows share a matrix.
///
/// Columns are standardised first, so that units do not matter, and the bits of a correlation depend on its two columns alone, so that neither
/// does their order.
struct Covariances: Sendable {
    let count: Int
    /// From one row of a matrix to the next: `count`, rounded up to whole vectors. What is beyond is 0.
    let stride: Int
    /// Of all rows.
    let rows: Int
    private let matrices: [Storage<Double>]
    /// By variable.
    private let matrixOf: [Int]
    private let rowsOf: [Int]

    static let lanes = 8
    private static let blockRows = 512

    /// - Parameter weights: how often each row counts; nil for once.
    init(_ data: StructuralDataset, weights: [Int]? = nil) throws(EngineError) {
        let count = data.columns, stride = (count + Self.lanes - 1) / Self.lanes * Self.lanes
        self.count = count
        self.stride = stride
        rows = weights?.reduce(0, +) ?? data.rows
        let scales = (0..<count).map { data.standardisation(of: $0) }
        let patterns = Patterns(data, weights: weights)

        var groups: [Moments] = []
        for rows in patterns.rows { groups.append(try Moments(data, rows, weights, scales, stride: stride)) }

        // Variables that were set in the same groups of rows have the same matrix.
        var number: [[Bool]: Int] = [:], matrices: [Storage<Double>] = [], sizes: [Int] = [], matrixOf: [Int] = []
        for v in 0..<count {
            let isUsed = patterns.targets.map { !$0[v] }
            if let known = number[isUsed] {
                matrixOf.append(known)
                continue
            }
            let used = zip(groups, isUsed).filter(\.1).map(\.0)
            matrices.append(try Moments.correlations(used, count: count, stride: stride))
            sizes.append(used.reduce(0) { $0 + $1.rows })
            number[isUsed] = matrices.count - 1
            matrixOf.append(matrices.count - 1)
        }
        self.matrices = matrices
        self.matrixOf = matrixOf
        rowsOf = matrixOf.map { sizes[$0] }
    }

    /// Known correlations of a population, as if of so many rows.
    init(correlations: Matrix<Double>, rows: Int) throws(EngineError) {
        count = correlations.rows
        stride = (count + Self.lanes - 1) / Self.lanes * Self.lanes
        self.rows = rows
        let matrix = try Storage<Double>(count: count * stride, of: "covariances")
        for i in 0..<count { for j in 0..<count { matrix.pointer[i * stride + j] = correlations[i, j] } }
        matrices = [matrix]
        matrixOf = [Int](repeating: 0, count: count)
        rowsOf = [Int](repeating: rows, count: count)
    }

    /// `count` rows of `stride`. A variable that does not vary in these rows has only zeros.
    func matrix(of variable: Int) -> UnsafePointer<Double> { UnsafePointer(matrices[matrixOf[variable]].pointer) }

    /// How many rows tell of a variable's mechanism.
    func rows(of variable: Int) -> Int { rowsOf[variable] }

    /// Sums and sums of products of standardised columns over some rows.
    private struct Moments {
        let rows: Int
        let sums: [Double]
        let products: Storage<Double>

        init(_ data: StructuralDataset, _ rows: [Int], _ weights: [Int]?, _ scales: [Standardisation], stride: Int) throws(EngineError) {
            let count = data.columns
            let products = try Storage<Double>(count: count * stride, of: "covariances")
            let expanded = weights.map { weights in rows.flatMap { [Int](repeating: $0, count: weights[$0]) } } ?? rows
            let block = try Storage<Double>(count: count * Covariances.blockRows, of: "covariances")
            var sums = [Double](repeating: 0, count: count)
            var first = 0
            while first < expanded.count {
                let size = min(Covariances.blockRows, expanded.count - first)
                let padded = (size + Covariances.lanes - 1) / Covariances.lanes * Covariances.lanes
                for v in 0..<count {
                    let column = block.pointer + v * Covariances.blockRows, scale = scales[v]
                    for i in 0..<size { column[i] = scale.standard(data.value(expanded[first + i], v)) }
                    for i in size..<padded { column[i] = 0 }
                    var sum = 0.0
                    for i in 0..<size { sum += column[i] }
                    sums[v] += sum
                }
                Threads.run(chunks: count, work: count * count / 2 * padded) { v in
                    let column = block.pointer + v * Covariances.blockRows
                    Double.kernels.products(column, column, stride: Covariances.blockRows, rows: padded, columns: count - v,
                                            addingTo: products.pointer + v * stride + v)
                }
                first += size
            }
            self.rows = expanded.count
            self.sums = sums
            self.products = products
        }

        static func correlations(_ groups: [Moments], count: Int, stride: Int) throws(EngineError) -> Storage<Double> {
            let matrix = try Storage<Double>(count: count * stride, of: "covariances")
            let rows = Double(groups.reduce(0) { $0 + $1.rows })
            let sums = (0..<count).map { v in groups.reduce(0) { $0 + $1.sums[v] } }
            for i in 0..<count {
                for j in i..<count {
                    let products = groups.reduce(0) { $0 + $1.products.pointer[i * stride + j] }
                    matrix.pointer[i * stride + j] = products - sums[i] * sums[j] / max(rows, 1)
                }
            }
            let deviations = (0..<count).map { v in
                let squares = matrix.pointer[v * stride + v]
                return squares > 1e-12 * rows ? squares.squareRoot() : 0
            }
            for i in 0..<count {
                for j in i..<count {
                    let product = deviations[i] * deviations[j]
                    let correlation = product > 0 ? (i == j ? 1 : matrix.pointer[i * stride + j] / product) : 0
                    matrix.pointer[i * stride + j] = correlation
                    matrix.pointer[j * stride + i] = correlation
                }
            }
            return matrix
        }
    }
}

/// Rows by what do() had set in them.
struct Patterns {
    /// For each group, by variable.
    private(set) var targets: [[Bool]] = []
    private(set) var rows: [[Int]] = []

    /// - Parameter weights: rows of weight 0 are left out.
    init(_ data: StructuralDataset, weights: [Int]? = nil) {
        var number: [[Bool]: Int] = [:]
        for row in 0..<data.rows where weights?[row] != 0 {
            let target = (0..<data.columns).map { data.isSet(row, $0) }
            if let known = number[target] {
                rows[known].append(row)
            } else {
                number[target] = rows.count
                targets.append(target)
                rows.append([row])
            }
        }
    }
}

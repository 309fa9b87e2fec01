internal import CausalKernels

/// Rows of a regression on one number, in double precision and in blocks of columns: the inputs, then the target.
final class RegressionRows: Sendable {
    static let blockRows = 512

    let inputs: Int
    let count: Int
    private let numbers: Storage<Double>
    private let blockSize: Int

    /// - Parameter rows: which of the data's; nil for all.
    init<Scalar: EngineScalar>(_ data: Dataset<Scalar>, rows: [Int]? = nil) throws(EngineError) {
        inputs = data.x.columns
        count = rows?.count ?? data.x.rows
        blockSize = try Columns<Double>.size(inputs + 1, rows: RegressionRows.blockRows)
        let blocks = (count + RegressionRows.blockRows - 1) / RegressionRows.blockRows
        numbers = try Storage(count: checkedSize(blocks, blockSize, of: "rows of a regression"), of: "rows of a regression")
        for block in 0..<blocks {
            let columns = self[block]
            for i in 0..<columns.rows {
                let place = block * RegressionRows.blockRows + i, row = rows?[place] ?? place
                for k in 0..<inputs { columns[k][i] = Double(data.x.pointer[row * inputs + k]) }
                columns[inputs][i] = Double(data.y.pointer[row])
            }
        }
    }

    var blocks: Int { (count + RegressionRows.blockRows - 1) / RegressionRows.blockRows }

    /// What fills the columns of the last one up is 0.
    subscript(block: Int) -> Columns<Double> {
        Columns(numbers.pointer + block * blockSize, rows: min(RegressionRows.blockRows, count - block * RegressionRows.blockRows))
    }
}

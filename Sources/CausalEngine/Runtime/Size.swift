/// The product of two sizes that come from a caller, where an overflow would trap.
///
/// - Throws: `.value` when a size is negative, `.memory` when one of them or the product, in elements of 16 bytes, is more than an address can
///   count; `what` names the thing.
package func checkedSize(_ rows: Int, _ columns: Int = 1, of what: @autoclosure () -> String) throws(EngineError) -> Int {
    guard rows >= 0, columns >= 0 else { throw EngineError(.value, "\(what()): a size is \(min(rows, columns)), expected 0 or more") }
    let (product, overflow) = rows.multipliedReportingOverflow(by: columns), most = Int.max / 16
    guard !overflow, rows <= most, columns <= most, product <= most else {
        throw EngineError(.memory, "\(what()): \(rows)\(columns == 1 ? "" : " x \(columns)") elements are too many to hold")
    }
    return product
}

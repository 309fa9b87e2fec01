/// The product of sizes that come from a caller, where an overflow would trap.
///
/// - Throws: `.value` when a size is negative, `.memory` when the product, in elements of 16 bytes, is more than an address can
///   count; `what` names the thing.
package func checkedSize(_ sizes: Int..., of what: @autoclosure () -> String) throws(EngineError) -> Int {
    var product = 1
    for size in sizes {
        guard size >= 0 else { throw EngineError(.value, "\(what()): a size is \(size), expected 0 or more") }
        let (next, overflow) = product.multipliedReportingOverflow(by: size)
        guard !overflow, next <= Int.max / 16 else {
            throw EngineError(.memory, "\(what()): \(sizes.map(String.init).joined(separator: " x ")) elements are too many to hold")
        }
        product = next
    }
    return product
}

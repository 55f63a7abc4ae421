# frozen_string_literal: true

class BillSubscriptionJob < Standin::Job
  queue_as { (ENV["SIDEKIQ_BILLING"] || !Standin::Release.since?("v1.17.1")) ? "billing" : "default" }

  def perform(ids, _timestamp, reason)
    rows = ids.map { |id| Standin::Database[:subscriptions].first(id: id) }
    Billing.bill(rows, reason)
  end
end

module WalletTransactions
  # Granted credits count at once; paid ones wait for a payment, which nobody makes here. The numbers are those of
  # Webhooks::OF_TRANSACTIONS.
  class CreateJob < Standin::Job
    queue_as "wallets"

    def perform(_organization_id, wallet_id, paid, granted)
      database = Standin::Database
      wallet = database[:wallets].first(id: wallet_id)
      grant(database, wallet, granted.to_d) if granted.to_d.positive?
      add(wallet, paid.to_d, status: 0, transaction_status: 0) if paid.to_d.positive?
    end

    private

    def grant(database, wallet, credits)
      transaction = add(wallet, credits, status: 1, transaction_status: 1, settled_at: Time.now.utc)
      Wallets.refresh(database.update(:wallets, wallet, **Wallets.balance(wallet, wallet[:credits_balance] + credits)))
      Webhooks.send_later("wallet_transaction.created", transaction[:id])
    end

    def add(wallet, credits, **attributes)
      Standin::Database.insert(:wallet_transactions, attributes.merge(
        wallet_id: wallet[:id], transaction_type: 0, amount: credits * wallet[:rate_amount], credit_amount: credits
      ))
    end
  end
end

module Invoices
  class GeneratePdfJob < Standin::Job
    queue_as { ENV["SIDEKIQ_PDFS"] ? "pdfs" : "invoices" }

    def perform(id)
      invoice = Standin::Database[:invoices].first(id: id)
      return if Files.of("Invoice", invoice[:id])

      blob = Files.store("#{invoice[:number]}.pdf", "application/pdf", InvoicePdf.render(invoice))
      Files.attach("Invoice", invoice[:id], blob)
      Standin::Database.update(:invoices, invoice, {})
      Webhooks.send_later("invoice.generated", id)
    end
  end
end

# frozen_string_literal: true

require_relative "../base_controller"

module Api
  module V1
    class InvoicesController < BaseController
      # Also those of customers that are deleted.
      def index
        dataset = Invoices.of(current_organization)
        dataset = dataset.where(customer_id: customers) if params["external_customer_id"]
        dataset = dataset.where(status: index_of(Invoices::STATUSES, "status")) if params["status"]
        dataset = dataset.where(payment_status: index_of(Invoices::PAYMENT_STATUSES, "payment_status")) if params["payment_status"]
        dataset = dataset.where(currency: params["currency"]) if params["currency"]
        dataset = dataset.where(invoice_type: index_of(Invoices::TYPES, "invoice_type")) if params["invoice_type"]
        dataset = dataset.where(payment_overdue: params["payment_overdue"] == "true") if params["payment_overdue"]
        dataset = dataset.where(Sequel[:issuing_date] >= Date.iso8601(params["issuing_date_from"])) if params["issuing_date_from"]
        dataset = dataset.where(Sequel[:issuing_date] <= Date.iso8601(params["issuing_date_to"])) if params["issuing_date_to"]
        dataset = dataset.where(matching(params["search_term"])) if params["search_term"]
        render_page(:invoices, dataset.order(Sequel.desc(:issuing_date), Sequel.desc(:created_at))) { |row| Invoices.listed(row) }
      end

      def show = render(json: {invoice: Invoices.shown(invoice)})

      # Orders the file when there is none yet.
      def download
        row = invoice
        Invoices::GeneratePdfJob.perform_later(Standin::Job::Record.new("Invoice", row[:id])) unless Files.of("Invoice", row[:id])
        render json: {invoice: Invoices.serialize(row)}
      end

      private

      def customers
        database[:customers].where(organization_id: current_organization[:id], external_id: params["external_customer_id"]).select(:id)
      end

      # By its number or id, or by its customer's name, id or address.
      def matching(term)
        like = "%#{term}%"
        names = %i[name external_id email].map { |column| Sequel.ilike(column, like) }
        found = database[:customers].where(organization_id: current_organization[:id]).where(Sequel.|(*names)).select(:id)
        Sequel.|(Sequel.ilike(:number, like), {Sequel.cast(:id, String) => term}, {customer_id: found})
      end

      def index_of(names, parameter) = [*params[parameter]].filter_map { |name| names.index(name) }

      def invoice = found(Text.uuid?(params["id"]) && Invoices.of(current_organization).first(id: params["id"]), "invoice")
    end
  end
end
